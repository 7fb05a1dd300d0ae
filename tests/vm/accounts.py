"""A recording held against what its workload counted itself."""

from pathlib import Path

from vm.conftest import Guest, recorded, z3trace
from z3trace.data.model import Recording


def counted(guest: Guest, directory: Path, words: str, at_least: int = 1) -> Recording:
    """What ``record --load`` with *words* records of a workload of ours in a guest, whose
    *directory* this is: all that the workload counted, *at_least* so many operations of
    which every byte came back, and nothing lost."""
    result = guest(f"{z3trace()} record --load -o x.z3t {words}")
    assert result.returncode == 0, result.stderr
    recording = recorded(directory / "x.z3t")
    truth = recording.runs[0].result
    assert sum(t.calls for t in truth.operations) >= at_least
    assert truth.facts["corrupted"] == 0
    agrees_with_the_workload(recording)
    nothing_lost(recording)
    return recording


def agrees_with_the_workload(recording: Recording) -> None:
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


def nothing_lost(recording: Recording) -> None:
    for run in recording.probed():
        assert run.ledger is not None
        assert run.ledger.lost() == 0, run.ledger
        assert run.ledger.open_operations == 0
        for lock in run.locks:
            assert lock.acquisitions == lock.releases, lock
