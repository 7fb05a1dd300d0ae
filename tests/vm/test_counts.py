"""Known workloads with exact counts: what was done is what was recorded."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vm.conftest import Guest, recorded, z3trace
from z3trace.model import Recording

pytestmark = pytest.mark.vm

EXACT = {"alloc": 23, "map": 23, "unmap": 23, "free": 19, "reclaim": 0}


def _agrees_with_the_workload(recording: Recording) -> None:
    for run in recording.probed():
        truth = {t.operation: t for t in run.result.operations}
        assert run.ledger is not None
        assert truth
        for counts in run.operations:
            assert counts.entries == counts.returns, counts
            told = truth.get(counts.operation)
            if told:  # what the kernel does of itself, such as compaction, it cannot tell
                assert counts.entries == told.calls, counts
                assert counts.failures == told.failures, counts
        latency = {s.operation: s.sum for s in run.series if s.metric == "latency"}
        for counts in run.operations:
            # Wait, hold and the rest are the whole of an operation's time, and a lock that
            # is held from one operation to the next counts in each for what it is there.
            assert counts.wait + counts.hold <= latency.get(counts.operation, 0) * 1.001
        for series in run.series:
            if series.metric == "latency" and series.operation in truth:
                assert series.count == truth[series.operation].calls


def _nothing_lost(recording: Recording) -> None:
    for run in recording.probed():
        assert run.ledger is not None
        assert run.ledger.lost() == 0, run.ledger
        assert run.ledger.open_operations == 0
        for lock in run.locks:
            assert lock.acquisitions == lock.releases, lock


def test_23_allocations_are_23_recorded(
    guest: Guest, built: Callable[[str], Path], tmp_path: Path
) -> None:
    workload = "--workload zpool-bench:allocs=23,frees=19,verify=0"
    result = guest(
        f"{z3trace()} record --load {workload} -o packaged.z3t\n"
        f"{z3trace()} record --load --module {built('page-lock')} {workload} -o built.z3t\n"
    )
    assert result.returncode == 0, result.stderr
    for name in ("packaged", "built"):
        recording = recorded(tmp_path / f"{name}.z3t")
        assert recording.complete
        counts = {c.operation: c.returns for c in recording.runs[0].operations}
        assert counts == EXACT
        _agrees_with_the_workload(recording)
    _nothing_lost(recorded(tmp_path / "built.z3t"))
    assert recorded(tmp_path / "built.z3t").session.module.variant == "page-lock"
    missing = [s for s in recorded(tmp_path / "packaged.z3t").session.sites if not s.attached]
    assert {s.function for s in missing} == {"__z3fold_alloc"}
    assert all("notrace" in s.reason for s in missing)


@pytest.mark.parametrize("variant", ["page-lock", "pool-lock"])
def test_a_million_operations_are_counted_to_the_last(
    guest: Guest, built: Callable[[str], Path], tmp_path: Path, variant: str
) -> None:
    result = guest(
        f"{z3trace()} record --load --module {built(variant)} -o x.z3t "
        "--workload zpool-bench:threads=2,ops=500000,headless=5"
    )
    assert result.returncode == 0, result.stderr
    recording = recorded(tmp_path / "x.z3t")
    total = sum(t.calls for t in recording.runs[0].result.operations)
    assert total >= 1_000_000
    assert recording.runs[0].result.facts["headless"] > 0
    assert recording.runs[0].result.facts["corrupted"] == 0
    _agrees_with_the_workload(recording)
    _nothing_lost(recording)
    classes = {c.lock: c for c in recording.runs[0].locks}
    assert set(classes) >= {"page", "pool", "stale", "slots"}
    assert "other" not in classes


def test_reclaim_with_refused_evictions_is_recorded(
    guest: Guest, built: Callable[[str], Path], tmp_path: Path
) -> None:
    result = guest(
        f"{z3trace()} record --load --module {built('page-lock')} -o x.z3t "
        "--workload zpool-bench:threads=1,ops=20000,reclaim=20,refuse=30"
    )
    assert result.returncode == 0, result.stderr
    recording = recorded(tmp_path / "x.z3t")
    facts = recording.runs[0].result.facts
    assert facts["evictions_accepted"] > 0
    assert facts["evictions_refused"] > 0
    _agrees_with_the_workload(recording)
    _nothing_lost(recording)


def test_zswap_drives_the_target(guest: Guest, tmp_path: Path) -> None:
    result = guest(
        "modprobe z3fold\n"
        f"{z3trace()} record -o x.z3t --workload zswap:mb=64,limit=32,passes=1\n"
        "swapon --show; rmmod z3fold || true\n"
    )
    assert result.returncode == 0, result.stderr
    run = recorded(tmp_path / "x.z3t").runs[0]
    assert run.result.facts["pages_touched"] == 2 * 64 * 256
    counts = {c.operation: c.returns for c in run.operations}
    # Of 64 MB, at most 32 fit: the rest was stored, and came back for the second pass.
    assert counts["alloc"] >= 24 * 256
    assert counts["map"] >= counts["alloc"]
    assert run.ledger is not None
    assert run.ledger.skipped_programs == 0
    assert run.ledger.missed_probes == 0


def _by_kind(recording: Recording) -> dict[str, int]:
    """Recorded lock events by kind of lock, from the call sites."""
    kinds = {site.number: site.kind for site in recording.session.sites}
    found: dict[str, int] = {"spin_try_failed": 0}
    for counts in recording.runs[0].sites:
        kind = kinds[counts.site]
        for event, value in (("acquired", counts.acquisitions), ("released", counts.releases)):
            found[f"{kind}_{event}"] = found.get(f"{kind}_{event}", 0) + value
        found["spin_try_failed"] += counts.trylock_failures
    return found


@pytest.mark.parametrize("mode", ["callsite", "hybrid", "function"])
def test_lock_events_are_those_that_the_target_counted_itself(
    guest: Guest, built: Callable[[str], Path], tmp_path: Path, mode: str
) -> None:
    """A million operations on two CPUs, with reclaim and refused evictions."""
    result = guest(
        f"{z3trace()} record --load --module {built('counted')} -o x.z3t --locks {mode} "
        "--workload zpool-bench:threads=2,ops=500000,headless=5,reclaim=5,refuse=20",
        deadline="10m",
    )
    assert result.returncode == 0, result.stderr
    recording = recorded(tmp_path / "x.z3t")
    run = recording.runs[0]
    assert sum(t.calls for t in run.result.operations) >= 1_000_000
    truth = {name: n for name, n in run.result.facts.items() if name.endswith(("ed", "failed"))}
    found = _by_kind(recording)
    assert run.ledger is not None
    # WARN_ON(trylock) of a lock that is held is a check to z3trace, a failure to the target.
    found["spin_try_failed"] += run.ledger.self_tries
    assert {name: truth[name] for name in found} == found
    _agrees_with_the_workload(recording)
    _nothing_lost(recording)
    assert run.result.facts["evictions_refused"] > 0


def test_the_packaged_module_is_seen_whole_in_hybrid(guest: Guest, tmp_path: Path) -> None:
    result = guest(
        f"{z3trace()} record --load -o x.z3t --locks hybrid "
        "--workload zpool-bench:threads=2,ops=500000,headless=5",
        deadline="10m",
    )
    assert result.returncode == 0, result.stderr
    recording = recorded(tmp_path / "x.z3t")
    assert all(site.attached for site in recording.session.sites)
    assert {s.method for s in recording.session.sites} == {"jump", "emulated", "function"}
    _agrees_with_the_workload(recording)
    _nothing_lost(recording)


@pytest.mark.parametrize("target", ["zsmalloc", "zbud"])
def test_other_allocators_are_recorded_too(guest: Guest, tmp_path: Path, target: str) -> None:
    """zsmalloc is a module, zbud is built into the distribution's kernel."""
    result = guest(
        f"{z3trace()} record --load --target {target} -o x.z3t "
        f"--workload zpool-bench:type={target},threads=2,ops=50000"
    )
    assert result.returncode == 0, result.stderr
    recording = recorded(tmp_path / "x.z3t")
    assert all(site.attached for site in recording.session.sites)
    _agrees_with_the_workload(recording)
    _nothing_lost(recording)
    pool = next(lock for lock in recording.runs[0].locks if lock.lock == "pool")
    truth = {t.operation: t.calls for t in recording.runs[0].result.operations}
    assert truth["free"] > 10000
    assert pool.acquisitions >= truth["free"]
