"""What ``check`` asks of its guest half: plain data in a file."""

from pathlib import Path

import msgspec

from z3trace.errors import InputError


class CheckSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the guest needs to know; *module* is empty for the packaged one,
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


def load(path: Path) -> CheckSpec:
    try:
        return msgspec.json.decode(path.read_bytes(), type=CheckSpec)
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(f"{path} is not a specification of check: {error}") from error
