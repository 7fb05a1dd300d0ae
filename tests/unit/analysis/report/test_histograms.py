"""Histograms as lines of text."""

from samples import recording

from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.report import histograms


def test_both_sides_share_an_axis_and_the_mode_stands_out() -> None:
    sides = [(label, Digest.of(recording(label))) for label in ("before", "b")]
    lines = histograms.render(sides, unicode=False).splitlines()
    assert lines[0].startswith("latency alloc, ")
    assert lines[0].endswith(", log scale")
    first, second = lines[1:3]
    assert len(first) == len(second)
    assert first.startswith("  before |")
    assert second.startswith("  b      |")
    assert first.count("@") == 1
    assert "\u2588" in histograms.render(sides, unicode=True)


def test_nothing_is_drawn_of_nothing() -> None:
    empty = Digest("x.z3t", recording("x").session)
    assert histograms.render([("x", empty)], unicode=False) == ""
