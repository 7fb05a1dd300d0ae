"""What a verb asks of its half in the guest, and what that tells: plain data in files."""

from pathlib import Path
from typing import TypeVar

import msgspec

from z3trace.errors import InputError


class PairSide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One variant: label, module file, recording to write."""

    label: str
    module: str
    output: str


class PairSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that ``ab-guest`` needs to know; *progress* is a file that it rewrites."""

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
    """Where ``ab-guest`` is: runs done of how many, and what it does now."""

    done: int
    total: int
    doing: str


class CheckSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that ``check-guest`` needs to know; *module* is empty for the packaged one,
    limits are in seconds."""

    target: str
    label: str
    module: str
    workload: str
    lock_mode: str
    seed: int
    hold: float
    wait: float
    command: list[str]
    output: str


Spec = TypeVar("Spec", PairSpec, CheckSpec)


def load(path: Path, kind: type[Spec]) -> Spec:
    """The specification in *path*; InputError if it is none of this *kind*."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(f"{path} is not a {kind.__name__}: {error}") from error
