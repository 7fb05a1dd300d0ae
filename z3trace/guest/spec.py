"""What a verb asks of its half in the guest, and what that tells: plain data in files."""

from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from z3trace.errors import InputError

#: The file in the guest's directory that ``ab-guest`` rewrites, a ``PairProgress``.
PROGRESS = "progress.json"
_Count = Annotated[int, Meta(ge=0, le=1 << 20)]


class PairSide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One variant: label, module file (empty: the kernel's own), that of its timed build
    (empty: none), recording to write."""

    label: str
    module: str
    timed: str
    output: str


class PairSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that ``ab-guest`` needs to know; *runs*: of each way, by its name; outputs are
    names in the guest's directory; *argv*: of a command, in the place of the *workload*."""

    target: str
    workload: str
    runs: dict[str, int]
    seed: int
    lock_mode: str
    waits: str
    calibrate: bool
    keep_paths: bool
    command: list[str]
    sides: list[PairSide]
    #: How operations are probed; empty: as is cheaper in this guest.
    method: str = ""
    argv: list[str] = []


class PairProgress(msgspec.Struct, frozen=True):
    """Where ``ab-guest`` is: runs done of how many, and what it does now."""

    done: _Count
    total: _Count
    doing: Annotated[str, Meta(max_length=1024)]


class CheckSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that ``check-guest`` needs to know; *module* is empty for the packaged one,
    *output* a name in the guest's directory, limits are in seconds, *argv* as of a pair."""

    target: str
    label: str
    module: str
    workload: str
    lock_mode: str
    seed: int
    hold: float
    wait: float
    keep_paths: bool
    command: list[str]
    output: str
    #: What the check's file is to be known by.
    identity: str
    argv: list[str] = []


Spec = TypeVar("Spec", PairSpec, CheckSpec)


def load(path: Path, kind: type[Spec]) -> Spec:
    """The specification in *path*; InputError if it is none of this *kind*."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(f"{path} is not a {kind.__name__}: {error}") from error
