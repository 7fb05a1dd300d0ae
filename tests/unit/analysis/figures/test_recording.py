"""A recording taken run by run."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from samples import recording, seen, write

from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.ways import Subject
from z3trace.data import runfile
from z3trace.data.model import Run


def test_a_stream_of_runs_is_digested_as_the_whole(tmp_path: Path) -> None:
    whole = recording("before")
    path = tmp_path / "x.z3t"
    with runfile.Writer(path) as writer:
        writer.session(whole.session)
        for run in whole.runs:
            writer.run(run)
        writer.finish(interrupted=False)
    one, other = Digest.of(whole), Digest.read(path)
    assert one.complete
    assert other.complete
    assert one.runs == other.runs
    for x, y in zip(one.rows(), other.rows(), strict=True):
        assert x[0] == y[0]
        assert list(x[2]) == list(y[2])


def _of_kinds(*probes: str) -> Digest:
    """A recording of three runs of each kind, the latencies of kind i around 1000 (i + 1)."""
    digest = Digest("x.z3t", recording("x").session)
    for kind, probe in enumerate(probes):
        for run in recording("x", scale=kind + 1.0, runs=3, seed=kind + 1).runs[:3]:
            # Probes on operations see no lock.
            seen = [s for s in run.series if probe == "all" or s.operation]
            digest.add(msgspec.structs.replace(run, probe=probe, series=seen))
    return digest


def _median(digest: Digest, metric: str) -> float:
    (values,) = (
        values
        for key, _, values, _ in digest.rows()
        if (key.metric, key.statistic) == (metric, "p50")
    )
    return float(np.median(values))


def test_latencies_come_from_the_runs_that_were_disturbed_least() -> None:
    digest = _of_kinds("all", "ops")
    assert digest.kind == "all"
    assert digest.way(Subject("latency", "alloc")) == "ops"
    assert _median(digest, "latency") == pytest.approx(2000, rel=0.15)
    assert _median(digest, "wait") == pytest.approx(1000, rel=0.15)
    assert len(digest.probed()) == len(digest.of_way("ops")) == 3


def test_the_only_kind_of_runs_serves_for_all() -> None:
    digest = _of_kinds("ops")
    assert (digest.kind, digest.has_locks) == ("ops", False)
    assert digest.way(Subject("latency", "alloc")) == "ops"
    assert len(digest.probed()) == 3


def test_an_interrupted_run_is_a_fact_without_figures() -> None:
    made = recording("x", runs=1).runs[0]
    digest = Digest("x.z3t", recording("x").session)
    digest.add(msgspec.structs.replace(made, interrupted=True))
    assert [run.interrupted for run in digest.runs] == [True]
    assert digest.rows() == []
    assert digest.probed() == []


def test_what_was_lost_is_summed_and_unknown_stays_unknown() -> None:
    made: Run = recording("x", runs=1).runs[0]
    digest = Digest("x.z3t", recording("x").session)
    digest.add(
        msgspec.structs.replace(
            made, ledger=msgspec.structs.replace(made.ledger, unmatched_returns=3)
        )
    )
    digest.add(
        msgspec.structs.replace(
            made, ledger=msgspec.structs.replace(made.ledger, missed_probes=None)
        )
    )
    assert digest.ledger()["unmatched_returns"] == 3
    assert digest.ledger()["missed_probes"] is None
    assert digest.loss()[0] == 3


def test_call_sites_without_a_probe_are_named(tmp_path: Path) -> None:
    made = recording("x")
    sites = [
        msgspec.structs.replace(made.session.sites[0], number=i, function=name, attached=i == 0)
        for i, name in enumerate(("seen", "b", "a", "a"))
    ]
    session = msgspec.structs.replace(made.session, sites=sites)
    digest = Digest.read(write(tmp_path / "x.z3t", msgspec.structs.replace(made, session=session)))
    assert [site.number for site in digest.unseen()] == [1, 2, 3]
    assert digest.unseen_functions() == "a, b"


def test_the_longest_latency_follows_the_way_that_is_chosen() -> None:
    one = Digest.of(seen("x", runs=3))
    by_clock = one.longest_latency
    probed = one.by({Subject("latency", "alloc"): "ops"})
    assert probed.longest_latency > by_clock + 200, "the probes' own time is in it"
    assert one.longest_latency == by_clock
    assert np.isnan(Digest.of(recording("x", runs=0)).longest_latency)
