"""What these runs could have seen."""

import math
from dataclasses import replace

import pytest
from samples import recording

from z3trace.analysis.comparing.comparison import Comparison, compare, compare_all
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.report import formats, sensitivity


def _found(runs: int) -> Comparison:
    sides = (Digest.of(recording(label, runs=runs, seed=i)) for i, label in enumerate("ab"))
    return compare(*sides)


def test_the_smallest_changes_are_told_by_metric() -> None:
    parts = sensitivity.resolution(_found(10)).split(", ")
    assert [part.split()[0] for part in parts] == ["throughput", "latency", "wait", "hold"]
    assert sensitivity.resolution(_found(2)) == "", "no verdict, nothing that could be seen"


def _against(runs: int, scale: float) -> Comparison:
    """One of three that are compared with the first as one family: 15 primary tests."""
    made = [
        recording(label, runs=runs, seed=i, scale=scale if i else 1.0)
        for i, label in enumerate("abcd")
    ]
    return compare_all(*_split([Digest.of(one) for one in made]))[0]


def _split(digests: list[Digest]) -> tuple[Digest, list[Digest]]:
    return digests[0], digests[1:]


@pytest.mark.parametrize("scale", [1.0, 8.0, 0.5])
@pytest.mark.parametrize("runs", [4, 5, 6, 7, 12])
def test_runs_too_few_for_the_family_are_told_as_such_everywhere(runs: int, scale: float) -> None:
    """15 tests at four fifths of 5 % take a p below 0.0027: 5 + 5 runs have 0.0079 at least,
    6 + 6 have 0.0022; the 24 others take 8 runs.  No smallest change, no verdict and no number of runs may say else."""
    found = _against(runs, scale)
    assert found.family == (15, 24)
    assert found.needed_runs == (6, 8)
    asked = [m for m in found.main() if m.primary]
    text, md = (formats.render([found], suffix) for suffix in (".txt", ".md"))
    if runs >= 6:
        assert not any(m.verdict == "too few runs" for m in asked)
        assert all(math.isfinite(m.detectable) for m in asked)
        assert "primary tests, 8 among" not in text
        if scale == 8:
            assert {m.verdict for m in asked} == {"worse"}
        return
    assert {m.verdict for m in asked} <= {"too few runs", "no difference"}
    assert not any(math.isfinite(m.detectable) for m in asked)
    assert sensitivity.resolution(found) in ("", ", ".join(f"{n} none" for n in _NAMES))
    assert sensitivity.regressions(found).startswith("not looked for")
    least = "difference can be significant: 6 among 15 primary tests"
    assert least in sensitivity.fewest(found)
    for shown in (" ".join(text.split()), md):
        assert least in shown
        assert "none found" not in shown
        assert "with fewer than 6 runs no difference" in shown
    more = [m.more_runs for m in asked if m.more_runs]
    assert all(number >= 6 for number in more)


_NAMES = ("throughput", "latency", "wait", "hold")


def test_what_could_not_be_looked_at_is_named_beside_what_was() -> None:
    found = _found(10)
    lines = [
        replace(metric, verdict="too few runs" if metric.metric == "hold" else metric.verdict)
        for metric in found.metrics
    ]
    said = sensitivity.regressions(replace(found, metrics=lines))
    assert said == "none found, too few runs to look at hold page mean"


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
