"""A timed build that is in the kernel: what it is, and what it tells after a run."""

from pathlib import Path

from z3trace.data.timed import Timed, TimedBuild
from z3trace.target.definition import Target


class TimedModule:
    """The timed build in *path*, of *target*."""

    def __init__(self, path: Path, target: Target) -> None:
        raise NotImplementedError

    @property
    def build(self) -> TimedBuild:
        raise NotImplementedError

    def start(self) -> None:
        raise NotImplementedError

    def read(self) -> Timed:
        raise NotImplementedError
