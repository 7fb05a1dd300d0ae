"""The workloads that need nothing of ours: a command, or just time."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress

from z3trace.data.model import WorkloadResult
from z3trace.errors import UsageError
from z3trace.workloads import output


class Command:
    """A program, run to its end; its last output is kept."""

    open_ended = False
    clocks = False
    own_lock = False
    module_file = None

    def __init__(self, argv: Sequence[str]) -> None:
        import shlex

        self.command = list(argv)
        self.description = shlex.join(argv)

    def prepare(
        self, seed: int, *, fast: bool, clocked: bool = False, own_lock: bool = False
    ) -> None:
        os.environ["Z3TRACE_SEED"] = str(seed)

    def run(self) -> WorkloadResult:
        start = time.monotonic_ns()
        try:
            process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise UsageError(f"cannot run {self.command[0]}: {error.strerror}") from error
        try:
            ended = output.wait(process)
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
            raise
        return WorkloadResult(
            status=process.returncode, elapsed=ended.at - start, output=ended.text
        )

    def finish(self) -> None:
        return


class Duration:
    """Nothing of its own: record whatever happens for some seconds."""

    open_ended = True
    clocks = False
    own_lock = False
    module_file = None

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.description = f"whatever runs, for {seconds:g} s"
        self.command = ["--duration", f"{seconds:g}s"]

    def prepare(
        self, seed: int, *, fast: bool, clocked: bool = False, own_lock: bool = False
    ) -> None:
        return

    def run(self) -> WorkloadResult:
        start = time.monotonic_ns()
        time.sleep(self.seconds)
        return WorkloadResult(elapsed=time.monotonic_ns() - start)

    def finish(self) -> None:
        return
