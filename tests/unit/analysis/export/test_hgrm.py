"""HdrHistogram's percentile text."""

import pytest
from samples import recording, seen

from z3trace.analysis.export import hgrm
from z3trace.analysis.figures.recording import Digest
from z3trace.errors import UsageError


def test_hgrm_reads_as_percentiles() -> None:
    one = Digest.of(recording("before"))
    lines = hgrm.text(one, "latency:alloc").splitlines()
    rows = [line.split() for line in lines if line and line[0] == " " and "Value" not in line]
    values = [float(row[0]) for row in rows]
    shares = [float(row[1]) for row in rows]
    assert values == sorted(values)
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == 1
    assert int(rows[-1][2]) == one.counts("latency", "alloc").sum()
    middle = next(value for value, share in zip(values, shares, strict=True) if share >= 0.5)
    assert middle == pytest.approx(1000, rel=0.1)
    with pytest.raises(UsageError, match="no series"):
        hgrm.text(one, "latency:nothing")


def test_it_is_of_one_series_of_one_recording() -> None:
    digest = Digest.of(recording("before"))
    assert hgrm.only([digest], "latency:alloc") == hgrm.text(digest, "latency:alloc")
    for digests, series in (([digest], ""), ([digest, digest], "latency:alloc")):
        with pytest.raises(UsageError, match="one series of one recording"):
            hgrm.only(digests, series)


def test_it_says_how_the_series_was_seen() -> None:
    assert hgrm.text(Digest.of(seen("x")), "hold:page").endswith("#[Way     = timed]\n")
