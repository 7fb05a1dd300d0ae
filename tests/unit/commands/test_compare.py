"""The gate of ``compare``: a status for what got worse, and one for what nobody can tell."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs
from samples import recording, run_seen, seen, series, write

from z3trace import cli
from z3trace.data.counts import Ledger
from z3trace.data.model import LockClass, Recording, Run, WorkloadResult
from z3trace.errors import DONE, INCOMPARABLE, REGRESSION, WRONG_USAGE

Change = Callable[[Run], Run]


def _changed(made: Recording, change: Change) -> Recording:
    return structs.replace(made, runs=[change(run) for run in made.runs])


def _without(metric: str) -> Change:
    """Runs without a metric's histograms."""

    def change(run: Run) -> Run:
        kept = [one for one in run.series if not one.metric.endswith(metric)]
        return structs.replace(run, series=kept)

    return change


def _failed(run: Run) -> Run:
    return structs.replace(run, result=structs.replace(run.result, status=1))


def _empty(run: Run) -> Run:
    changes = {name: [] for name in ("series", "operations", "locks", "sites", "nesting")}
    return structs.replace(run, **changes, result=WorkloadResult(elapsed=run.result.elapsed))


def _idle(run: Run) -> Run:
    return _empty(structs.replace(run, probed=True))


def _no_throughput(run: Run) -> Run:
    return structs.replace(run, result=WorkloadResult(elapsed=run.result.elapsed))


@pytest.fixture
def judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """(status, what the gate said) of a second recording against a first."""

    def run(before: Recording, after: Recording, *words: str) -> tuple[int, str]:
        paths = [write(tmp_path / name, one) for name, one in (("b.z3t", before), ("a.z3t", after))]
        gate = [word for word in words if word.startswith("--fail")] or ["--fail-on-regression"]
        rest = [word for word in words if not word.startswith("--fail")]
        status = cli.run(["compare", *map(str, paths), *gate, *rest])
        return status, capsys.readouterr().err

    return run


Judged = Callable[..., tuple[int, str]]

#: What cannot be judged: (before, after, what is said of it).
UNJUDGED: dict[str, tuple[Callable[[], Recording], Callable[[], Recording], str]] = {
    "few runs": (
        lambda: recording("b", runs=4),
        lambda: recording("a", runs=4, scale=8, seed=2),
        "4 runs a side cannot judge",
    ),
    "few runs of one kind": (
        lambda: recording("b"),
        lambda: structs.replace(
            recording("a", scale=8, seed=2),
            runs=[run for run in recording("a", seed=2).runs if run.probed or run.number < 3],
        ),
        "3 runs a side cannot judge throughput",
    ),
    "nothing recorded": (
        lambda: recording("b"),
        lambda: _changed(recording("a", seed=2), _empty),
        "gone, it was recorded before only: throughput",
    ),
    "nothing recorded at all": (
        lambda: _changed(recording("b"), _idle),
        lambda: _changed(recording("a", seed=2), _idle),
        "has no figures: nothing was recorded",
    ),
    "an operation is gone": (
        lambda: recording("b"),
        lambda: _changed(recording("a", seed=2), _without("latency")),
        "gone, it was recorded before only: latency alloc mean, latency alloc p99",
    ),
    "all locks are gone": (
        lambda: recording("b"),
        lambda: _changed(recording("a", seed=2), _without("hold")),
        "gone, it was recorded before only: hold page mean",
    ),
    "throughput is gone": (
        lambda: recording("b"),
        lambda: _changed(recording("a", seed=2), _no_throughput),
        "gone, it was recorded before only: throughput",
    ),
    "every run failed": (
        lambda: recording("b"),
        lambda: _changed(recording("a", seed=2), _failed),
        "the workload failed in 20 runs of 20",
    ),
    "every run failed before": (
        lambda: _changed(recording("b"), _failed),
        lambda: recording("a", seed=2),
        "the workload failed in 20 runs of 20",
    ),
    "one recording": (
        lambda: recording("b"),
        lambda: recording("b"),
        "compared with itself",
    ),
}


@pytest.mark.parametrize("case", UNJUDGED)
def test_what_cannot_be_judged_does_not_pass(case: str, judged: Judged) -> None:
    before, after, said = UNJUDGED[case]
    status, told = judged(before(), after())
    assert said in told
    assert status == INCOMPARABLE, told


def test_what_got_worse_is_named_with_its_figures(judged: Judged) -> None:
    before, after = recording("b"), recording("a", scale=1.3, seed=2)
    status, told = judged(before, after)
    assert status == REGRESSION
    assert "gate: regression: a: throughput mean 10.2k/s -> " in told
    assert "gate: regression: a: latency alloc mean 1.13 us -> " in told
    status, told = judged(before, after, "--fail-on-regression=60%")
    assert status == DONE
    assert "gate: no figure got worse by 60 % or more" in told
    assert "worse by less than 0.6 of what it was: throughput" in told


def test_many_times_slower_is_a_regression(judged: Judged) -> None:
    status, told = judged(recording("b"), recording("a", scale=20, seed=2))
    assert status == REGRESSION
    assert " times)" in told


def test_what_is_better_or_alike_passes_and_says_what_it_did_not_see(judged: Judged) -> None:
    status, told = judged(recording("b"), recording("a", scale=0.7, seed=2))
    assert (status, told.splitlines()[-1]) == (DONE, "gate: no figure got worse by 0 % or more")
    status, told = judged(recording("b"), recording("a", seed=2), "--fail-on-regression=5")
    assert status == DONE, told
    assert "inconclusive, so it may have got worse" in told


def test_one_lock_class_may_go_with_a_patch(judged: Judged) -> None:
    """Its figures are named all the same."""

    def twice(run: Run) -> Run:
        other = (
            [series(metric, "pool", [900] * 9) for metric in ("wait", "hold")] if run.probed else []
        )
        return structs.replace(run, series=[*run.series, *other])

    before = _changed(recording("b", locks=[LockClass(name="page"), LockClass(name="pool")]), twice)
    status, told = judged(before, recording("a", seed=2), "--fail-on-regression=5")
    assert status == DONE, told
    assert "not judged, only before: wait pool mean, hold pool mean" in told


def test_runs_that_failed_count_if_they_are_to(judged: Judged) -> None:
    before = recording("b")
    after = _changed(recording("a", scale=1.3, seed=2), _failed)
    assert judged(before, after, "--allow-failed")[0] == REGRESSION


def test_a_few_failed_runs_are_left_out(judged: Judged) -> None:
    """They are a hundred times as slow, and change no verdict."""

    def some(run: Run) -> Run:
        if run.number % 5:
            return run
        slow = structs.replace(run.result, elapsed=run.result.elapsed * 100, status=3)
        return structs.replace(run, result=slow)

    after = _changed(recording("a", scale=0.7, seed=2), some)
    status, told = judged(recording("b", runs=10), after)
    assert status == DONE, told


def test_what_lost_too_many_events_does_not_pass(judged: Judged) -> None:
    """Its figures are shown on request, and stand for nothing."""

    def lossy(run: Run) -> Run:
        return structs.replace(run, ledger=Ledger(skipped_programs=50)) if run.probed else run

    lost = _changed(recording("a", seed=2), lossy)
    status, told = judged(recording("b"), lost, "--allow-mismatch")
    assert "too many events were lost to judge" in told
    assert status == INCOMPARABLE


def test_a_contradiction_does_not_pass(judged: Judged) -> None:
    def split(run: Run) -> Run:
        """Holds get shorter for the timed build, and longer for the probes."""
        scale = 1.3 if run.way == "lock:page" else 0.8
        made = run_seen(run.way, run.seed, scale=1, lock_scale=scale, seed=2)
        return structs.replace(made, number=run.number, order=run.order)

    status, told = judged(seen("b"), _changed(seen("a", seed=2), split))
    assert "contradict each other: wait page mean, hold page mean" in told
    assert status == INCOMPARABLE


@pytest.mark.parametrize("word", ["nan", "inf", "-inf", "-1", "-0.5%", "x", "", "%", "1e999"])
def test_a_percentage_that_is_none_is_refused(word: str, judged: Judged) -> None:
    status, told = judged(recording("b"), recording("a", seed=2), f"--fail-on-regression={word}")
    assert status == WRONG_USAGE
    assert "is not a percentage" in told


@pytest.mark.parametrize("word", ["5", "5%", "2.5", "0", "1e1"])
def test_a_number_that_follows_is_the_percentage(
    word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [
        str(write(tmp_path / f"{name}.z3t", recording(name, scale=scale, seed=i)))
        for i, (name, scale) in enumerate((("b", 1.0), ("a", 1.3)))
    ]
    assert cli.run(["compare", "--fail-on-regression", word, *paths]) == REGRESSION
    assert cli.run(["compare", *paths, "--fail-on-regression", "nan"]) == WRONG_USAGE
    capsys.readouterr()
