"""Every lock event is counted, also where no probe can stand, of every target."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vm.accounts import agrees_with_the_workload, nothing_lost
from vm.conftest import LONG, MANY, MILLION, Guest, recorded, z3trace
from z3trace.data.model import Recording

pytestmark = pytest.mark.vm


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


@pytest.mark.parametrize(
    ("mode", "waits", "ops"),
    [
        ("callsite", "slow-path", MILLION),
        ("callsite", "call-site", 200_000),
        ("hybrid", "slow-path", MANY),
        *([("function", "slow-path", MANY)] if LONG else []),
    ],
)
def test_lock_events_are_those_that_the_target_counted_itself(
    guest: Guest, built: Callable[[str], Path], tmp_path: Path, mode: str, waits: str, ops: int
) -> None:
    """Up to a million operations on two CPUs, with reclaim and refused evictions."""
    result = guest(
        f"{z3trace()} record --load --module {built('counted')} -o x.z3t --locks {mode} "
        f"--waits {waits} "
        f"--workload zpool-bench:threads=2,ops={ops // 2},headless=5,reclaim=5,refuse=20",
        deadline="10m",
    )
    assert result.returncode == 0, result.stderr
    recording = recorded(tmp_path / "x.z3t")
    run = recording.runs[0]
    assert sum(t.calls for t in run.result.operations) >= ops
    truth = {name: n for name, n in run.result.facts.items() if name.endswith(("ed", "failed"))}
    found = _by_kind(recording)
    assert run.ledger is not None
    # WARN_ON(trylock) of a lock that is held is a check to z3trace, a failure to the target.
    found["spin_try_failed"] += run.ledger.self_tries
    assert {name: truth[name] for name in found} == found
    agrees_with_the_workload(recording)
    nothing_lost(recording)
    assert run.result.facts["evictions_refused"] > 0


def test_waits_are_seen_in_either_way(
    guest: Guest, built: Callable[[str], Path], tmp_path: Path
) -> None:
    """The slow path of the lock, and the lock word at the attempt."""
    module = built("pool-lock")
    record = (
        f"{z3trace()} record --load --reload --no-calibrate --module {module} "
        "--workload zpool-bench:threads=2,ops=100000,touches=4"
    )
    result = guest(
        f"{record} --waits slow-path -o slow.z3t && {record} --waits call-site -o site.z3t"
    )
    assert result.returncode == 0, result.stderr
    slow, site = recorded(tmp_path / "slow.z3t"), recorded(tmp_path / "site.z3t")
    assert (slow.session.waits, site.session.waits) == ("slow-path", "call-site")
    for recording in (slow, site):
        agrees_with_the_workload(recording)
        nothing_lost(recording)
    pages = next(one for one in slow.runs[0].locks if one.lock == "page")
    wait = next(s for s in slow.runs[0].series if (s.metric, s.lock) == ("wait", "page"))
    # Every acquisition is in the histogram: those without contention have no wait.
    assert wait.count == pages.acquisitions
    assert dict(wait.buckets)[0] == pages.acquisitions - pages.contended
    # How many depends on whether the host runs both CPUs of the guest at once.
    assert 0 < pages.contended < pages.acquisitions
    assert next(one for one in site.runs[0].locks if one.lock == "page").contended > 0
    # The same acquisitions take fewer events; how many there are depends on the contention.
    slow_events, site_events = map(_events_of_an_acquisition, (slow, site))
    assert slow_events < 0.9 * site_events


def _events_of_an_acquisition(recording: Recording) -> float:
    run = recording.runs[0]
    tried = sum(one.acquisitions + one.trylock_failures for one in run.locks)
    return sum(one.lock_events for one in run.operations) / tried


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
    agrees_with_the_workload(recording)
    nothing_lost(recording)


@pytest.mark.parametrize(("target", "name"), [("zsmalloc", "size-class"), ("zbud", "pool")])
def test_other_allocators_are_recorded_too(
    guest: Guest, tmp_path: Path, target: str, name: str
) -> None:
    """zsmalloc is a module, zbud is built into the distribution's kernel."""
    result = guest(
        f"{z3trace()} record --load --target {target} -o x.z3t "
        f"--workload zpool-bench:type={target},threads=2,ops=50000"
    )
    assert result.returncode == 0, result.stderr
    recording = recorded(tmp_path / "x.z3t")
    assert all(site.attached for site in recording.session.sites)
    agrees_with_the_workload(recording)
    nothing_lost(recording)
    pool = next(lock for lock in recording.runs[0].locks if lock.lock == name)
    truth = {t.operation: t.calls for t in recording.runs[0].result.operations}
    assert truth["free"] > 10000
    assert pool.acquisitions >= truth["free"]
