"""Every way to see a run, with known counts; and runs that the host disturbs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vm.conftest import LAST_RESORT, Guest, qemu, recorded, z3trace
from z3trace.data.model import Run
from z3trace.kernels import fetch
from z3trace.recording import disturbance, repetitions

pytestmark = pytest.mark.vm
#: Nothing is freed, so that no work item compacts pages while others look.
WORKLOAD = "zpool-bench:allocs=23,verify=0"
CLASSES = ("page", "pool", "stale", "slots")
PROBED = ("all", "ops", *(f"lock:{name}" for name in CLASSES))


def _acquired(run: Run, *, timed: bool = False) -> dict[str, int]:
    """Lock class -> acquisitions, of classes that have some."""
    told = run.timed.locks if timed and run.timed else run.locks
    return {lock.lock: lock.acquisitions for lock in told if lock.acquisitions}


def _exact(runs: list[Run]) -> None:
    for run in runs:
        truth = {each.operation: each.calls for each in run.result.operations}
        assert truth["alloc"] == 23, run.way
        assert run.host is not None
        assert run.host.delay is not None
        assert run.clocked == any(each.buckets for each in run.result.operations)
        if run.probed:
            assert run.ledger is not None
            assert run.ledger.lost() == 0, run.way
        if run.probe in ("ops", "all"):
            assert {c.operation: c.returns for c in run.operations}["alloc"] == 23


def test_all_ways_count_the_same(kernel: object, tmp_path: Path) -> None:
    words = ["--probe", "all", "--probe", "ops", "--probe", "each", "--probe", "timed+page"]
    command = [sys.executable, "-m", "z3trace", "ab", "--runs", "1", "-o", "out", *words]
    result = subprocess.run(
        [*command, "--no-calibrate", "--workload", WORKLOAD],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LAST_RESORT,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    for name in ("before", "after"):
        recording = recorded(tmp_path / f"out/{name}.z3t")
        runs = {run.way: run for run in recording.runs if run.counts}
        cheap = ("none", "clocked", "timed", "own-lock", "timed+lock:page")
        assert sorted(runs) == sorted([*PROBED, *cheap])
        _exact(list(runs.values()))
        assert recording.session.timed is not None
        assert recording.session.timed.calls
        whole = _acquired(runs["all"])
        assert set(whole) >= {"page", "pool"}
        # The module's own count, and that of probes on one class after the other.
        assert _acquired(runs["timed"], timed=True) == whole
        for lock in CLASSES:
            alone = _acquired(runs[f"lock:{lock}"])
            assert alone == ({lock: whole[lock]} if lock in whole else {})
        both = runs["timed+lock:page"]
        assert _acquired(both) == {"page": whole["page"]}
        assert _acquired(both, timed=True) == whole
        for way in ("none", "clocked", "ops"):
            assert not _acquired(runs[way])
        # Numbers of call sites are those of the build under test.
        assert not runs["timed+lock:page"].sites
        assert all(lock.startswith("own-") for lock in _acquired(runs["own-lock"]))


def test_runs_of_a_module_that_was_not_built_here(guest: Guest, tmp_path: Path) -> None:
    result = guest(
        f"{z3trace()} record --load --locks hybrid --runs 2 --no-calibrate "
        f"--workload {WORKLOAD} -o x.z3t"
    )
    assert result.returncode == 0, result.stderr
    runs = recorded(tmp_path / "x.z3t").runs
    warm = [run.way for run in runs if run.unused == "warm-up"]
    assert warm == ["all", "none"]
    counted = [run.way for run in runs if run.counts]
    assert sorted(counted) == sorted(2 * [*PROBED, "none", "clocked", "own-lock"])
    assert repetitions.MOST_SHOWN > 2
    _exact(runs)


@contextmanager
def _busy_host() -> Iterator[None]:
    """Two programs on each CPU that do nothing and all the time."""
    code = "import os\nwhile os.getppid() > 1: pass"
    count = 2 * len(os.sched_getaffinity(0))
    hogs = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(count)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def test_runs_that_a_busy_host_disturbs_are_made_again(
    kernel: fetch.Kernel, built: Callable[[str], Path], tmp_path: Path
) -> None:
    words = f"record --load --runs 4 --probe ops --no-calibrate --module {built('page-lock')}"
    work = "--workload zpool-bench:threads=2,ops=300000 -o x.z3t"
    options = ["--deadline", "5m", "--release", kernel.release]
    command = [sys.executable, "-m", "z3trace", "vm", *options, "--", "record"]
    with subprocess.Popen(
        [*command, *words.split()[1:], *work.split()],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("run 2/"):
                break
        with _busy_host():
            said += process.stderr.readlines()
    text = "".join(said)
    assert process.returncode == 0, text
    runs = recorded(tmp_path / "x.z3t").runs
    again = [run for run in runs if run.unused == "disturbed"]
    assert len(again) == round(disturbance.MOST * 14), text
    for run in again:
        assert disturbance.share(run, 2) > disturbance.LIMIT
        after = runs[runs.index(run) + 1]
        assert (after.way, after.number, after.seed) == (run.way, run.number, run.seed)
    assert sum(run.counts for run in runs) == 12
    assert f"{len(again)} {'was' if len(again) == 1 else 'were'} made again" in text


def test_a_run_in_which_the_guest_was_stopped_is_made_again(
    built: Callable[[str], Path], tmp_path: Path
) -> None:
    """As on a host that is suspended: nobody waits for a CPU, and nobody has one."""
    words = f"record --load --runs 3 --probe ops --no-calibrate --module {built('page-lock')}"
    work = "--workload zpool-bench:threads=2,ops=600000 -o x.z3t"
    command = [sys.executable, "-m", "z3trace", "vm", "--deadline", "5m", "--"]
    with subprocess.Popen(
        [*command, *words.split(), *work.split()],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said, stopped = [], 0
        for line in process.stderr:
            said.append(line)
            # The next run has begun by then, and takes longer than this.
            if line.startswith(("run 2/", "run 4/", "run 6/")):
                guest = qemu(process.pid)
                for _ in range(3):
                    time.sleep(0.3)
                    os.kill(guest, signal.SIGSTOP)
                    time.sleep(0.7)
                    os.kill(guest, signal.SIGCONT)
                    stopped += 1
    text = "".join(said)
    assert process.returncode == 0, text
    assert stopped
    runs = recorded(tmp_path / "x.z3t").runs
    paused = [run for run in runs if run.host and (run.host.paused or 0) > 1e9]
    assert paused, [run.host for run in runs]
    again = [run for run in runs if run.unused == "disturbed"]
    assert set(map(id, again)) & set(map(id, paused))
    for run in again:
        after = runs[runs.index(run) + 1]
        assert (after.way, after.number, after.seed) == (run.way, run.number, run.seed)
