"""What ``ab`` asks of its guest half: plain data in a file."""

from pathlib import Path

import msgspec

from z3trace.errors import InputError


class PairSide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One variant: label, module file, recording to write."""

    label: str
    module: str
    output: str


class PairSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the guest needs to know; *progress* is a file it rewrites."""

    target: str
    workload: str
    runs: int
    unprobed: int
    seed: int
    lock_mode: str
    waits: str
    probes: list[str]
    calibrate: bool
    command: list[str]
    progress: str
    sides: list[PairSide]


class PairProgress(msgspec.Struct, frozen=True):
    """Where the guest is: runs done of how many, and what it does now."""

    done: int
    total: int
    doing: str


def load(path: Path) -> PairSpec:
    try:
        return msgspec.json.decode(path.read_bytes(), type=PairSpec)
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(f"{path} is not a specification of ab: {error}") from error
