"""The probes themselves: what they leave behind, what they lose, what they can be told."""

import json
import os
import sys
from pathlib import Path

import pytest

from vm.accounts import agrees_with_the_workload, nothing_lost
from vm.conftest import Guest, recorded, z3trace

pytestmark = pytest.mark.vm

CYCLES = os.environ.get("Z3TRACE_CYCLES", "15")
BENCH = "zpool-bench:threads=2,ops=50000"


def test_attaching_and_detaching_leaves_nothing_behind(guest: Guest) -> None:
    """Z3TRACE_CYCLES=200 for the long way."""
    script = Path(__file__).with_name("cycles.py")
    result = guest(f"{sys.executable} {script} {CYCLES} hybrid", deadline="60m")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout.splitlines()[-1])
    before, after = found["before"], found["after"]
    assert after["descriptors"] == before["descriptors"]
    assert after["events"] == 0
    assert after["references"] == 0
    assert after["rss_kb"] < before["rss_kb"] + 8192, found


_EVENTS = "/sys/kernel/tracing/kprobe_events"
_ARMED = f"n=0; until grep -q /lock {_EVENTS}; do sleep 0.3; n=$((n+1)); test $n -lt 300; done; sleep 5\n"


def test_what_a_killed_recording_and_its_guard_left_is_removed_at_the_next_start(
    guest: Guest, tmp_path: Path
) -> None:
    """A control group is killed as a whole, the guard with it."""
    result = guest(
        "group=/sys/fs/cgroup/killed; mkdir $group; modprobe z3fold\n"
        f"sh -c 'echo $$ > '$group'/cgroup.procs; exec {z3trace()} record --no-calibrate "
        "--locks callsite -o lost.z3t --duration 60s' 2>log &\n"
        f"{_ARMED}"
        "echo 1 > $group/cgroup.kill; wait $! || true\n"
        f"echo left $(grep -c z3trace_ {_EVENTS})\n"
        # Events of a process that cannot be seen from here are not anybody's to remove.
        f"echo p:z3trace_1_1_1_00000000/lock vfs_read >> {_EVENTS}\n"
        f"{z3trace()} record --no-calibrate -o next.z3t --duration 1s 2>said >wrote\n"
        f"grep -o 'z3trace_[0-9a-z_]*' {_EVENTS} | sort -u\n"
    )
    assert result.returncode == 0, result.stderr
    left, *events = result.stdout.splitlines()[-2:]
    assert int(left.split()[1]) > 0, "the killed recording left its probes"
    assert events == ["z3trace_1_1_1_00000000"]
    assert "not seen from here stay: z3trace_1_1_1_00000000" in (tmp_path / "said").read_text()
    assert recorded(tmp_path / "next.z3t").complete


def test_two_recordings_of_one_process_number_do_not_meet(guest: Guest, tmp_path: Path) -> None:
    """Each is the first process of a pid namespace of its own; the second ends first."""
    record = f"unshare --pid --fork --mount-proc {z3trace()} record --no-calibrate"
    result = guest(
        "modprobe z3fold\n"
        f"{record} -o long.z3t -- sh -c 'until test -e over; do sleep 0.2; done' >wrote 2>long &\n"
        f"{_ARMED}"
        f"sort {_EVENTS} >before; {record} -o short.z3t --duration 1s >wrote 2>short\n"
        f"sort {_EVENTS} >after; touch over; wait $!; cat {_EVENTS}\n"
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == "", "both removed what they defined"
    defined = (tmp_path / "before").read_text()
    assert len(defined.splitlines()) > 100
    assert (tmp_path / "after").read_text() == defined
    assert "not seen from here stay: z3trace_" in (tmp_path / "short").read_text()
    long, short = recorded(tmp_path / "long.z3t"), recorded(tmp_path / "short.z3t")
    assert long.complete
    assert short.complete
    assert [site.attached for site in long.session.sites] == [
        site.attached for site in short.session.sites
    ]


def test_a_forced_loss_is_reported_with_its_number(guest: Guest, tmp_path: Path) -> None:
    """One slot for all threads: two of them inside at once cannot both be followed."""
    result = guest(
        f"{z3trace()} record --load --task-slots 1 -o x.z3t --workload {BENCH}\n"
        f"{z3trace()} show x.z3t"
    )
    assert result.returncode == 0, result.stderr
    run = recorded(tmp_path / "x.z3t").runs[0]
    assert run.ledger is not None
    assert run.ledger.slot_collisions > 0
    seen = sum(counts.entries for counts in run.operations)
    called = sum(truth.calls for truth in run.result.operations)
    assert seen < called
    assert run.ledger.lost() >= called - seen
    assert f"slot collisions {run.ledger.slot_collisions}" in result.stdout


def test_filters_live_figures_and_refusals(guest: Guest, tmp_path: Path) -> None:
    result = guest(
        f"{z3trace()} record --load --operation alloc -o one.z3t --workload {BENCH}\n"
        f"{z3trace()} record --load --cpu 1 --no-calibrate -o cpu.z3t --workload {BENCH}\n"
        f"{z3trace()} record --load --live --no-calibrate -o live.z3t "
        "--workload zpool-bench:threads=2,ops=200000\n"
        f"{z3trace()} record --load --stacks -o no.z3t --duration 1s || echo refused $?\n"
    )
    assert result.returncode == 0, result.stderr
    one = recorded(tmp_path / "one.z3t").runs[0]
    truth = {t.operation: t.calls for t in one.result.operations}
    assert {c.operation: c.returns for c in one.operations} == {"alloc": truth["alloc"]}
    cpu = recorded(tmp_path / "cpu.z3t").runs[0]
    total = sum(t.calls for t in cpu.result.operations)
    half = sum(c.returns for c in cpu.operations)
    # Each of the two threads is bound to a CPU of its own.
    assert 0.4 < half / total < 0.6
    assert cpu.ledger is not None
    assert cpu.ledger.unmatched_returns == 0
    assert "/s p50" in result.stderr
    assert "of a CPU" in result.stderr
    assert "refused 2" in result.stdout
    assert "inside a lock probe" in result.stderr


def test_probes_wait_for_the_module(guest: Guest, tmp_path: Path) -> None:
    result = guest(
        f"{z3trace()} record --wait-module 120s --no-calibrate -o x.z3t --duration 6s 2>log &\n"
        "n=0; until grep -q waiting log; do sleep 0.3; n=$((n+1)); test $n -lt 200; done\n"
        "sleep 1; modprobe z3fold; wait %1\n"
        f"{z3trace()} record --wait-module 1s --no-calibrate --target zsmalloc -o y.z3t "
        "--duration 1s || echo late $?\n"
    )
    assert result.returncode == 0, result.stderr
    assert recorded(tmp_path / "x.z3t").complete
    assert "late 4" in result.stdout
    assert "was not loaded within 1 s" in result.stderr


def test_doctor_and_a_target_of_ones_own(guest: Guest, tmp_path: Path) -> None:
    """9pnet is what the guest's own files come through: locks with interrupts off."""
    result = guest(
        f"{z3trace()} doctor --load > plain; "
        f"{z3trace()} doctor --load --locks hybrid --prices --json > json\n"
        f"{z3trace()} target init 9pnet -o p9.toml\n"
        f"{z3trace()} record --target p9.toml -o p9.z3t -- "
        "sh -c 'for i in 1 2 3 4 5 6 7 8; do cat p9.toml; done'\n"
    )
    assert result.returncode == 0, result.stderr
    plain = (tmp_path / "plain").read_text()
    assert (
        "would not be whole: 14 of 137 lock call sites cannot be seen, in __z3fold_alloc" in plain
    )
    assert "notrace" in plain
    hybrid = json.loads((tmp_path / "json").read_text())
    assert hybrid["whole"]
    assert hybrid["verdict"] == "a recording with --locks hybrid would be whole"
    at_calls, inside = hybrid["prices"][:2], hybrid["prices"][2]
    assert all(price["target"] > 0 == price["others"] for price in at_calls)
    assert inside["way"] == "in the lock functions"
    assert min(inside["target"], inside["others"]) > 0
    assert hybrid["cheapest"] in ("callsite", "function")
    run = recorded(tmp_path / "p9.z3t").runs[0]
    assert sum(lock.acquisitions for lock in run.locks) > 50
    assert all(lock.acquisitions >= lock.releases for lock in run.locks)
    assert run.ledger is not None
    assert run.ledger.skipped_programs == 0


def test_programs_are_compiled_once(guest: Guest, tmp_path: Path) -> None:
    """A second recording needs no headers, and counts the same."""
    record = (
        f"{z3trace()} record --load --no-calibrate --locks hybrid --workload zpool-bench:ops=2000"
    )
    result = guest(
        "export Z3TRACE_PROGRAMS=$PWD/programs; mkdir programs; "
        f"{record} -o made.z3t; rm /usr/src/linux-headers-*; "
        f"{record} -o kept.z3t; Z3TRACE_PROGRAMS=$PWD/none {record} -o none.z3t || echo refused"
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "refused"
    assert len(list((tmp_path / "programs").iterdir())) == 1
    assert "linux-headers" in result.stderr
    for file in ("made.z3t", "kept.z3t"):
        recording = recorded(tmp_path / file)
        agrees_with_the_workload(recording)
        nothing_lost(recording)
    assert not (tmp_path / "none.z3t").exists()
