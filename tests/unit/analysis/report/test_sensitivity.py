"""What these runs could have seen."""

from dataclasses import replace

from samples import recording

from z3trace.analysis.comparing.comparison import Comparison, compare
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.report import sensitivity


def _found(runs: int) -> Comparison:
    sides = (Digest.of(recording(label, runs=runs, seed=i)) for i, label in enumerate("ab"))
    return compare(*sides)


def test_the_smallest_changes_are_told_by_metric() -> None:
    parts = sensitivity.resolution(_found(10)).split(", ")
    assert [part.split()[0] for part in parts] == ["throughput", "latency", "wait", "hold"]
    assert sensitivity.resolution(_found(2)) == "", "no verdict, nothing that could be seen"


def test_the_number_of_runs_that_settles_half() -> None:
    found = _found(10)
    lines = [
        replace(metric, verdict="inconclusive", more_runs=runs)
        for metric, runs in zip(found.main(), [12, 14, 80, None], strict=False)
    ]
    said = sensitivity.more_runs(replace(found, metrics=lines))
    assert said.startswith("about 14 runs a side would likely settle 2 of the 4 inconclusive")
    hopeless = [replace(line, more_runs=None) for line in lines]
    assert "no number of runs" in sensitivity.more_runs(replace(found, metrics=hopeless))
    assert sensitivity.more_runs(replace(found, metrics=[])) == ""
