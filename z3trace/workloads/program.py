"""The workloads that are programs of ours, built from ``testbed/workload``."""

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Self

from z3trace.data.model import WorkloadResult
from z3trace.errors import CannotTraceError, UsageError
from z3trace.workloads.output import OUTPUT_LIMIT
from z3trace.workloads.protocol import parse_parameters


class Program:
    """What they share: parameters, and a program that is run with some of them.

    It cannot time its operations, and knows no lock of its own.
    """

    #: As the command line says it, and the file that is built.
    NAME: ClassVar[str]
    BUILT: ClassVar[str]
    DEFAULTS: ClassVar[dict[str, str]]
    #: Parameter -> the least and the greatest value, of those that have bounds.
    BOUNDS: ClassVar[dict[str, tuple[int, int]]] = {}
    open_ended = False
    clocks = False
    own_lock = False
    module_file = None

    def __init__(self, parameters: dict[str, str], program: Path | None) -> None:
        self.parameters = {**self.DEFAULTS, **parameters}
        self.given = parameters
        self._program = program
        self._seed = 1
        text = ",".join(f"{key}={value}" for key, value in parameters.items())
        self.description = f"{self.NAME}:{text}" if text else self.NAME
        self.command = ["--workload", self.description]

    @classmethod
    def parse(cls, text: str, program: Path | None) -> Self:
        """From ``mb=32,passes=2``; UsageError for anything it does not know."""
        parameters = parse_parameters(cls.NAME, text, cls.DEFAULTS)
        for key, (least, most) in cls.BOUNDS.items():
            if key in parameters and not least <= int(parameters[key]) <= most:
                raise UsageError(
                    f"{cls.NAME}: {key}={parameters[key]} is not from {least} to {most}"
                )
        return cls(parameters, program)

    def prepare(
        self, seed: int, *, fast: bool, clocked: bool = False, own_lock: bool = False
    ) -> None:
        del fast, clocked, own_lock
        self._seed = seed
        if self._program is None:
            raise CannotTraceError(f"{self.BUILT} is not built", "'z3trace vm' builds it")
        self.make_ready()

    def make_ready(self) -> None:
        """What the program needs of the kernel."""
        raise NotImplementedError

    def facts(self, said: str) -> dict[str, int]:
        """Counts, from what the program *said* and what the kernel shows after it."""
        raise NotImplementedError

    def execute(
        self, arguments: Sequence[str], enter: Callable[[], None] | None = None
    ) -> WorkloadResult:
        """Run the program; *enter* is called in its process first."""
        start = time.monotonic_ns()
        process = subprocess.run(
            [str(self._program), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            preexec_fn=enter,
            check=False,
        )
        return WorkloadResult(
            status=process.returncode,
            elapsed=time.monotonic_ns() - start,
            facts=self.facts(process.stdout),
            output=(process.stdout + process.stderr)[-OUTPUT_LIMIT:],
        )
