"""Guests for the tests: the fetched kernel under QEMU, nothing pretended.

``Z3TRACE_REQUIRE=vm`` turns every skip into a failure.
"""

import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from vm import kernels
from z3trace.data import runfile
from z3trace.data.model import Recording
from z3trace.guest import threads
from z3trace.guest.process import SILENT
from z3trace.kernels import build, fetch, variant

#: Operations of the tests that count to the last: a million of each kind takes too long for
#: all in one go; ``make long`` has them.
MILLION = 1_000_000
LONG = bool(os.environ.get("Z3TRACE_LONG"))
MANY = MILLION if LONG else 300_000
#: Seconds: a guest's own deadline ends it, and does not run while the host is busy.
LAST_RESORT = 3600
Guest = Callable[..., "subprocess.CompletedProcess[str]"]

#: A review boots a guest for each side and each mix: two to four minutes a mail; the documents
#: show some thirty command lines that boot one.
_LONG = ["test_review.py", "test_review_others.py", "test_commandlines.py"]
collect_ignore = [] if os.environ.get("Z3TRACE_LONG") else _LONG
#: Two kernels are built and booted: ``make whole``.
collect_ignore += [] if os.environ.get("Z3TRACE_WHOLE") else ["test_whole_kernels.py"]


def _missing() -> list[str]:
    needed = ("qemu-system-x86_64", "spatch", "make", "gcc")
    return [program for program in needed if not shutil.which(program)]


@pytest.fixture(scope="session")
def kernel() -> fetch.Kernel:
    """The kernel all guests boot; fetched if it is not in the cache."""
    missing = _missing()
    if missing:
        message = f"no guest without {', '.join(missing)}"
        if os.environ.get("Z3TRACE_REQUIRE") == "vm":
            pytest.fail(message)
        pytest.skip(message)
    return kernels.chosen()


@pytest.fixture(scope="session")
def built(kernel: fetch.Kernel) -> Callable[[str], Path]:
    """The file of a built variant of z3fold."""
    return lambda name: build.build_variant(kernel, "mm/z3fold.c", variant.load(name), print).path


@pytest.fixture
def guest(kernel: fetch.Kernel, tmp_path: Path) -> Guest:
    """Run a shell script in a guest, in the test's own directory, with a deadline."""

    def run(
        script: str, *, deadline: str = "5m", options: tuple[str, ...] = ()
    ) -> "subprocess.CompletedProcess[str]":
        release = () if "--release" in options else ("--release", kernel.release)
        words = ["vm", "--deadline", deadline, *release, *options]
        command = [sys.executable, "-m", "z3trace", *words]
        there = set(tmp_path.iterdir())
        result = _run([*command, "--", "sh", "-ec", script], tmp_path)
        if result.returncode == 128 and SILENT in result.stderr:
            # The emulator's own hang, docs/measured.md: not what is tested, and rare.  A
            # second one is a failure, and the first is told of, lest it hide one of ours.
            warnings.warn(f"a guest was run again: {result.stderr.strip()}", stacklevel=2)
            for path in set(tmp_path.iterdir()) - there:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            result = _run([*command, "--", "sh", "-ec", script], tmp_path)
        return result

    return run


def _run(command: list[str], directory: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=LAST_RESORT, check=False
    )


def z3trace() -> str:
    """How a script in the guest calls z3trace."""
    return f"{sys.executable} -m z3trace"


def qemu(process: int) -> int:
    """The guest of a z3trace process."""
    names = {n: Path("/proc", str(n), "comm").read_text() for n in threads.processes(process)}
    (found,) = (number for number, name in names.items() if name.startswith("qemu-system"))
    return found


def recorded(path: Path) -> Recording:
    return runfile.read(path)
