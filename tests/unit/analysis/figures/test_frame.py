"""Recordings as tables."""

import numpy as np
from samples import recording, seen

from z3trace.analysis.figures import frame
from z3trace.analysis.figures.recording import Digest


def test_the_frame_is_what_the_documentation_shows() -> None:
    table = frame.tidy([("before", Digest.of(recording("before")))])
    medians = table[(table.metric == "latency") & (table.statistic == "p50")]
    assert len(medians) == 10
    assert medians["value"].between(800, 1200).all()


def test_a_recording_without_runs_is_an_empty_table() -> None:
    table = frame.per_run(Digest("x.z3t", recording("x").session), "x")
    assert list(table.columns) == frame.COLUMNS
    assert table.empty


def test_merged_histograms_hold_every_value() -> None:
    digest = Digest.of(recording("before"))
    table = frame.histograms(digest, "before")
    latency = table[(table.metric == "latency") & (table.name == "alloc")]
    assert latency["count"].sum() == 20000
    assert (latency["lower"] < latency["upper"]).all()
    assert np.array_equal(frame.labelled([digest])["side"].unique(), ["before"])


def test_every_number_says_how_it_was_seen() -> None:
    digest = Digest.of(seen("x"))
    table = frame.per_run(digest, "x")
    ways = table.groupby("metric")["way"].unique().map(list).to_dict()
    assert ways["throughput"] == ["none"]
    assert ways["latency"] == ["clocked"]
    assert ways["hold"] == ways["wait"] == ["timed"]
    merged = frame.histograms(digest, "x")
    assert set(merged[merged.metric == "hold"]["way"]) == {"timed"}
