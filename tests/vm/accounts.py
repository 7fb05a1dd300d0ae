"""A recording held against what its workload counted itself."""

from z3trace.data.model import Recording


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
