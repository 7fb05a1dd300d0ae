"""z3trace's command line in this process: what is tested is not how a process starts."""

import io
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from z3trace import cli


@dataclass(frozen=True)
class Ended:
    """How a command line ended, as a finished process says it."""

    returncode: int
    stdout: str
    stderr: str


def z3trace(*words: str | Path, cwd: Path | None = None) -> Ended:
    out, error = io.StringIO(), io.StringIO()
    with chdir(cwd or "."), redirect_stdout(out), redirect_stderr(error):
        status = cli.run([str(word) for word in words])
    return Ended(status, out.getvalue(), error.getvalue())
