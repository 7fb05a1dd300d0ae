"""What ``z3trace compare`` costs: two sessions of 100 runs, two with 10 000 in all.

The runs are copies of a real one, each with its own number.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from z3trace.data import runfile

REPEATS = 5
IMPORTS = (
    "import z3trace.analysis.comparing.comparison, z3trace.analysis.figures.recording, "
    "z3trace.analysis.report.formats"
)


def _copies(source: Path, path: Path, runs: int) -> None:
    made = runfile.read(source)
    (run,) = (one for one in made.runs if one.probed)
    with runfile.Writer(path) as writer:
        writer.session(made.session)
        for number in range(runs):
            writer.run(msgspec.structs.replace(run, number=number, order=number))
        writer.finish(interrupted=False)


def _measured(arguments: list[str]) -> tuple[float, float, float]:
    """(seconds, seconds of CPU time, MB) of a process."""
    start = time.perf_counter()
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{arguments} ended with {process.returncode}")
    took = time.perf_counter() - start
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(source: Path) -> dict[str, list[float]]:
    """Samples: what -> seconds, or MB for ``rss_mb``; *source* has one probed run."""
    python = [sys.executable]
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for runs, repeats in ((100, REPEATS), (5000, 1)):
            files = [Path(name) / f"{side}-{runs}.z3t" for side in ("before", "after")]
            for path in files:
                _copies(source, path, runs)
            # Of the packaged module not every release finds its acquisition: no verdicts.
            command = [*python, "-m", "z3trace", "compare", "--allow-mismatch", *map(str, files)]
            for _ in range(repeats):
                seconds, busy, megabytes = _measured(command)
                found.setdefault(f"compare_seconds.{2 * runs}", []).append(seconds)
                found.setdefault(f"compare_cpu_seconds.{2 * runs}", []).append(busy)
                found.setdefault(f"compare_rss_mb.{2 * runs}", []).append(megabytes)
    for _ in range(REPEATS):
        for what, code in (("python", "pass"), ("imports", IMPORTS)):
            seconds, _, _ = _measured([*python, "-c", code])
            found.setdefault(f"compare_start_seconds.{what}", []).append(seconds)
    return found
