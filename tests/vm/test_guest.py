"""The guest itself, and recordings that end otherwise than planned."""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from vm.conftest import LAST_RESORT, Guest, qemu, recorded, z3trace
from z3trace.data import buckets
from z3trace.data.model import Run

pytestmark = pytest.mark.vm


def test_the_exit_status_is_handed_through(guest: Guest, tmp_path: Path) -> None:
    result = guest("uname -r; echo kept > file; echo lost > /root/z3trace-test; exit 7")
    assert result.returncode == 7
    assert result.stdout.startswith("6.")
    assert (tmp_path / "file").read_text() == "kept\n"
    assert not Path("/root/z3trace-test").exists()


def test_a_panic_is_named_and_is_exit_128(guest: Guest) -> None:
    result = guest("echo 1 > file; sync; echo c > /proc/sysrq-trigger; sleep 60", deadline="90s")
    assert result.returncode == 128
    assert "the guest was lost: kernel" in result.stderr
    assert "sysrq" in result.stderr.lower()


def test_the_deadline_ends_a_guest(guest: Guest) -> None:
    result = guest("sleep 600", deadline="20s")
    assert result.returncode == 128
    assert "deadline of 20 s" in result.stderr


def test_a_guest_that_somebody_stopped_goes_on(kernel: object) -> None:
    """For longer than its deadline leaves, and than its kernel calls a lockup."""
    command = [sys.executable, "-m", "z3trace", "vm", "--deadline", "32s", "--", "sh", "-c"]
    script = "echo up; for second in 1 2 3 4 5 6; do sleep 1; done; echo whole"
    with subprocess.Popen(
        [*command, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        guest = qemu(process.pid)
        os.kill(guest, signal.SIGSTOP)
        time.sleep(30)
        os.kill(guest, signal.SIGCONT)
        said, errors = process.communicate(timeout=LAST_RESORT)
    assert (process.returncode, said) == (0, "whole\n"), errors


def test_errors_in_the_guest(guest: Guest) -> None:
    script = (
        f"set +e; {z3trace()} record --duration 1s -o a.z3t; echo status $?\n"
        "modprobe z3fold\n"
        f"{z3trace()} record -o b.z3t -- sh -c 'echo broken; exit 9'; echo status $?\n"
        'printf \'name="x"\\nmodule="z3fold"\\n[operations.alloc]\\nfunctions=["z3fold_zpool_mallok"]\\n\' > x.toml\n'
        f"{z3trace()} record --target x.toml --duration 1s -o c.z3t; echo status $?\n"
    )
    result = guest(script)
    assert result.stdout.split("\n")[:4] == ["status 4", "Wrote b.z3t", "status 1", "status 4"]
    assert "module z3fold is not loaded" in result.stderr
    assert "broken" in result.stderr
    assert "nearest: z3fold_zpool_malloc" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_interrupted_recording_is_kept_and_a_killed_one_leaves_no_probes(
    guest: Guest, tmp_path: Path
) -> None:
    events = "/sys/kernel/tracing/kprobe_events"
    result = guest(
        "modprobe z3fold\n"
        f"{z3trace()} record --duration 300s -o x.z3t 2> log &\n"
        "until grep -q 'Ctrl-C ends' log; do sleep 0.5; done; sleep 3\n"
        "kill -INT $!; wait $! || true\n"
        f"test ! -s {events}\n"
        f"{z3trace()} record --duration 300s -o y.z3t &\n"
        f"while ! grep -q z3trace {events}; do sleep 0.5; done\n"
        "sleep 2; kill -9 $!; sleep 2\n"
        f"cat {events}; test ! -s {events}\n"
        "rmmod z3fold; echo unloaded\n"
    )
    assert "unloaded" in result.stdout, result.stderr
    recording = recorded(tmp_path / "x.z3t")
    assert recording.complete
    assert len(recording.runs) == 1


def _mean_latency(runs: list[Run], operation: str) -> float:
    """The geometric mean over runs of what the workload itself timed, from its buckets."""
    means = []
    for run in runs:
        (truth,) = (each for each in run.result.operations if each.operation == operation)
        middles = [(buckets.lower(i) + buckets.width(i) / 2, count) for i, count in truth.buckets]
        means.append(sum(value * count for value, count in middles) / truth.calls)
    return statistics.geometric_mean(means)


def _probed_latency(runs: list[Run], operation: str) -> float:
    series = [
        next(s for s in run.series if (s.metric, s.operation) == ("latency", operation))
        for run in runs
    ]
    return statistics.geometric_mean([one.sum / one.count for one in series])


def test_ab_makes_every_file(kernel: object, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "z3trace", "ab", "--runs", "2", "-o", "out", "--workload"]
    result = subprocess.run(
        [*command, "zpool-bench:threads=2,ops=3000"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LAST_RESORT,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    out = tmp_path / "out"
    for name in (
        "before.z3t",
        "after.z3t",
        "report.txt",
        "report.md",
        "report.html",
        "report.json",
    ):
        assert (out / name).stat().st_size > 0
    assert len(list((out / "plots").glob("*.svg"))) == len(list((out / "plots").glob("*.png"))) == 6
    report = json.loads((out / "report.json").read_text())
    sides = [recorded(out / f"{name}.z3t") for name in ("before", "after")]
    made = [Counter(run.way for run in side.runs if run.counts) for side in sides]
    assert made[0] == made[1]
    told = {each["way"]: each["runs"] for each in report["ways"]}
    assert told == {way: {"before": n, "after": n} for way, n in made[0].items()}
    throughput = [m for m in report["metrics"] if m["metric"] == "throughput"]
    assert [(m["statistic"], m["unit"], m["n_before"], m["way"]) for m in throughput] == [
        ("mean", "ops/s", made[0]["none"], "none")
    ]
    counted = sorted(run.way for run in sides[1].runs if run.counts)
    assert counted == sorted(2 * ["none", "clocked", "timed", "ops", "all"])
    warm = [run.way for run in sides[1].runs if run.unused == "warm-up"]
    assert warm == ["all", "none", "timed"]
    # The latencies of the report are those of the runs that disturb operations least.
    (latency,) = (
        metric
        for metric in report["metrics"]
        if (metric["metric"], metric["operation"], metric["statistic"])
        == ("latency", "map", "mean")
    )
    assert latency["way"] == "clocked"
    clocked = [run for run in sides[1].runs if run.clocked and run.counts]
    assert latency["after"] == pytest.approx(_mean_latency(clocked, "map"), rel=0.01)
    of_all = [run for run in sides[1].runs if run.way == "all" and run.counts]
    assert latency["after"] < 0.5 * _probed_latency(of_all, "map")
    assert not list(out.glob(".*"))


def test_a_lost_guest_leaves_what_it_recorded(guest: Guest, tmp_path: Path) -> None:
    script = (
        "modprobe z3fold\n"
        f"{z3trace()} record -o x.z3t --runs 50 --unprobed 0 "
        "--workload zpool-bench:allocs=23,frees=19 &\n"
        'while ! grep -q \'"type":"run"\' x.z3t.part 2>/dev/null; do sleep 0.3; done\n'
        "sync; echo c > /proc/sysrq-trigger; sleep 30\n"
    )
    result = guest(script, deadline="120s")
    assert result.returncode == 128
    assert "recorded so far:" in result.stderr
    recording = recorded(tmp_path / "x.z3t.part")
    assert not recording.complete
    assert len(recording.runs) >= 1
    assert recording.runs[0].ledger is not None
