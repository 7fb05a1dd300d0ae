"""OpenMetrics text, read back by Prometheus' own parser."""

import numpy as np
import pytest
from samples import recording, seen

from z3trace.analysis.export import openmetrics
from z3trace.analysis.figures.recording import Digest
from z3trace.data import buckets


def test_openmetrics_is_read_by_prometheus_own_parser() -> None:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    evil = 'a"b\\c\nd'
    one = Digest.of(recording(evil))
    families = {f.name: f for f in text_string_to_metric_families(openmetrics.text([one]))}
    latency = families["z3trace_latency_seconds"]
    assert latency.type == "histogram"
    bounds = [s for s in latency.samples if s.name.endswith("_bucket")]
    assert bounds[0].labels["variant"] == evil
    assert bounds[-1].labels["le"] == "+Inf"
    counts = one.counts("latency", "alloc")
    assert bounds[-1].value == counts.sum()
    # A value equal to a bound is in its bucket: the bound is the bucket's last nanosecond.
    first = int(np.flatnonzero(counts)[0])
    assert float(bounds[0].labels["le"]) == pytest.approx((buckets.upper(first) - 1) * 1e-9)
    assert [b.value for b in bounds] == sorted(b.value for b in bounds)


def test_what_a_terminal_would_obey_is_visible_in_a_label() -> None:
    text = openmetrics.text([Digest.of(recording("a\x1b[2J\u202eb"))])
    assert text.replace("\n", "").isprintable()
    assert r'variant="a\\x1b[2J\\u202eb"' in text


def test_each_series_says_how_it_was_seen() -> None:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    text = openmetrics.text([Digest.of(seen("x"))])
    ways = {
        (family.name, sample.labels["way"])
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert ways == {
        ("z3trace_latency_seconds", "clocked"),
        ("z3trace_wait_seconds", "timed"),
        ("z3trace_hold_seconds", "timed"),
    }
