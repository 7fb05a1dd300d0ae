"""A metric over sessions."""

from pathlib import Path

import numpy as np
from samples import recording

from z3trace.analysis.comparing.trend import ChangePoint, Trend
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.run import Key
from z3trace.analysis.plots import trendplot


def test_sessions_and_changes_are_in_the_picture(tmp_path: Path) -> None:
    key = Key("latency", "alloc", "", "mean", "ns")
    trend = Trend(key, np.array([1.0, 1.0, 2.0]), [ChangePoint(2, 2.0, 0.01)])
    digests = [Digest.of(recording(name, runs=1)) for name in ("a1", "b2", "c3")]
    trendplot.draw([trend], digests, tmp_path / "t.svg")
    text = (tmp_path / "t.svg").read_text()
    for word in ("a1", "b2", "c3", "+100.0 %", "latency alloc, mean [ns]", "3 sessions"):
        assert word in text
