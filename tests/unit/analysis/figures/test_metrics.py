"""The table of metrics against what recordings and runs really have."""

from typing import get_args, get_type_hints

from samples import recording

from z3trace.analysis.figures import metrics
from z3trace.analysis.figures.recording import Digest
from z3trace.data.counts import Series


def test_every_series_of_a_recording_is_a_metric() -> None:
    recorded = set(get_args(get_type_hints(Series)["metric"]))
    assert recorded <= set(metrics.BY_NAME)
    assert {metric.name for metric in metrics.DISTRIBUTIONS} <= recorded


def test_every_figure_of_a_run_is_a_metric_that_is_compared() -> None:
    for key in Digest.of(recording("x")).keys:
        metric = metrics.BY_NAME[key.metric]
        assert metric.compared
        of = {name for name in ("operation", "lock") if getattr(key, name)}
        wanted = {"both": {"operation", "lock"}, "": set()}
        assert of == wanted.get(metric.subject, {metric.subject})


def test_names_are_unique_and_in_order() -> None:
    names = [metric.name for metric in metrics.METRICS]
    assert len(set(names)) == len(names)
    assert sorted(names, key=metrics.ORDER.__getitem__) == names
    assert [m.name for m in metrics.METRICS if m.higher_is_better] == ["throughput"]
