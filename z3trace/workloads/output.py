"""The end of what a program says, kept in bounded memory."""

import subprocess
import threading
import time
from dataclasses import dataclass
from typing import IO

#: Characters of a workload's output that are kept, the last ones.
OUTPUT_LIMIT = 4000
#: Bytes: a character is at most four.
_KEPT = 4 * OUTPUT_LIMIT
_READ = 1 << 16
LEFT_BEHIND = "a process that the command started still runs: it is no part of the run"
#: Seconds that the end of the output is waited for when the program itself has ended: a
#: child that it left behind may hold the stream open for its whole life.
_PATIENCE = 0.5


class Tail(threading.Thread):
    """Reads *stream* to its end and keeps what came last."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._stream, self._kept = stream, b""
        self.start()

    def run(self) -> None:
        while data := self._stream.read1(_READ):  # type: ignore[attr-defined]
            self._kept = (self._kept + data)[-_KEPT:]

    def text(self) -> str:
        """The last ``OUTPUT_LIMIT`` characters so far."""
        return self._kept.decode(errors="replace")[-OUTPUT_LIMIT:]


@dataclass(frozen=True)
class Ended:
    """A program's end: what it said last, and *at*, when it ended (``time.monotonic_ns``)."""

    text: str
    at: int


def wait(process: "subprocess.Popen[bytes]") -> Ended:
    """Wait for a program whose output is a pipe.

    A child that it leaves behind with this pipe is told of in the text: what it does from
    then on is no part of the run.
    """
    assert process.stdout is not None  # noqa: S101 - the caller made it so
    tail = Tail(process.stdout)
    process.wait()
    at = time.monotonic_ns()
    tail.join(_PATIENCE)
    text = tail.text()
    if tail.is_alive():
        text += f"\n{LEFT_BEHIND}\n"
    return Ended(text[-OUTPUT_LIMIT:], at)
