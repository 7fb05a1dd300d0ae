"""What may be said of an effect."""

import numpy as np
import pytest
from scipy import stats as reference

from z3trace.analysis.statistics.effect import Effect, Sample, effect_of, effects
from z3trace.analysis.statistics.verdict import detectable, runs_to_settle, verdict


def test_few_runs_have_no_verdict() -> None:
    found = effect_of([1, 1.01, 1.02, 1.0], [9, 9.1, 9.2, 9.0], paired=False)
    assert verdict(found, 0.001, higher_is_better=False) == "too few runs"


def test_verdicts_agree_with_benchstat_s_test() -> None:
    """benchstat's published method is Mann and Whitney's U at 5 %, without a correction:
    what is far apart or alike by that is so here."""
    random = np.random.default_rng(7)
    for shift in (0.0, 0.3):
        before = np.exp(random.normal(0, 0.03, 10))
        after = np.exp(random.normal(shift, 0.03, 10))
        theirs = reference.mannwhitneyu(before, after).pvalue < 0.05
        found = effect_of(list(before), list(after), paired=False)
        said = verdict(found, found.p, higher_is_better=True)
        assert (said == "better") == theirs == (shift > 0)


def _sessions(runs: int, change: float, sessions: int, *, paired: bool) -> list[Effect]:
    """Sessions in which the runs of a side differ by 3 %."""
    random = np.random.default_rng(8)
    logs = random.normal(0, 0.03, (sessions, 2, runs))
    logs[:, 1] += change
    return effects([Sample(list(b), list(a), paired) for b, a in np.exp(logs)])


@pytest.mark.parametrize("runs", [8, 10, 20, 40])
@pytest.mark.parametrize("tests", [1, 25, 150])
@pytest.mark.parametrize("paired", [False, True])
def test_the_detectable_change_is_found_four_times_of_five(
    runs: int, tests: int, paired: bool
) -> None:
    """What a session of equal sides says that it can see, a session with that change shows."""
    equal = _sessions(runs, 0, 400, paired=paired)
    change = float(np.log1p(np.median([detectable(effect, tests) for effect in equal])))
    changed = _sessions(runs, change, 400, paired=paired)
    said = [verdict(effect, effect.p * tests, higher_is_better=False) for effect in changed]
    assert 0.7 <= said.count("worse") / len(said) <= 0.9


def test_runs_too_few_for_a_family_are_said_to_find_nothing() -> None:
    """The least p of 5 + 5 runs is 2/252: among seven tests no change whatever is found."""
    effect = _sessions(5, 9.0, 1, paired=False)[0]
    assert effect.p == pytest.approx(2 / 252)
    assert 0 < detectable(effect, 1) < detectable(effect, 6) < np.inf
    assert detectable(effect, 7) == np.inf
    unsettled = Effect(1, 1.5, 1.5, 0.9, 2.5, effect.p, 5, 5, error=0.001)
    assert runs_to_settle(unsettled, 7) == 6
    assert runs_to_settle(unsettled, 60) == 7, "2/3432 is the first that is small enough"


@pytest.mark.parametrize("change", [0.02, 0.04])
def test_so_many_runs_as_are_asked_for_find_what_was_open(change: float) -> None:
    """Four times of five, as *sees* promises."""
    before = Effect(1, np.exp(change), np.exp(change), 0.9, 1.1, 0.5, 10, 10, error=0.03 / 5**0.5)
    runs = runs_to_settle(before, 25)
    assert runs is not None
    said = [
        verdict(effect, effect.p * 25, higher_is_better=False)
        for effect in _sessions(runs, change, 300, paired=False)
    ]
    assert 0.7 <= said.count("worse") / len(said) <= 0.9


def test_runs_to_settle_grow_with_the_spread() -> None:
    def inconclusive(error: float) -> Effect:
        return Effect(1, 1.01, 1.01, 0.9, 1.1, 0.5, 10, 10, error=error)

    few, many = (runs_to_settle(inconclusive(error), 10) for error in (0.01, 0.03))
    assert few is not None
    assert many is not None
    assert 10 < few < many
    assert runs_to_settle(inconclusive(0.5), 10) is None


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([0.0] * 8, [0.0] * 8, "no difference"),
        ([0.0] * 8, [3.0, 4, 5, 3, 4, 5, 4, 4], "worse"),
        ([0.0] * 8, [0.0] * 7 + [1.0], "inconclusive"),
        ([5.0] * 8, [5.0] * 8, "no difference"),
        ([5.0] * 8, [4.0] * 8, "better"),
        ([5.0] * 8, [], "only before"),
        ([], [5.0] * 8, "only after"),
    ],
)
def test_zeros_ties_and_one_side(before: list[float], after: list[float], said: str) -> None:
    found = effect_of(before, after, paired=False)
    assert verdict(found, found.p, higher_is_better=False) == said


def test_too_few_runs_are_said_to_find_nothing() -> None:
    """Two runs a side have a spread, but no verdict: a figure of it would be absurd."""
    few, enough = (
        effect_of(values, values[::-1], paired=False)
        for values in ([1.0, 2.0], [1.0, 2.0, 1.5, 1.2, 1.8])
    )
    assert np.isnan(detectable(few, 1))
    assert detectable(enough, 1) > 0


@pytest.mark.parametrize(
    ("low", "high", "p", "said"),
    [
        (1.05, 1.2, 0.01, "worse"),
        (0.8, 0.95, 0.01, "better"),
        (1.05, 1.2, 0.05, "inconclusive"),
        (0.99, 1.2, 0.01, "inconclusive"),
        (0.981, 1.019, 0.5, "no difference"),
        (1.001, 1.019, 0.001, "no difference"),
    ],
)
def test_a_difference_needs_its_interval_and_its_test(
    low: float, high: float, p: float, said: str
) -> None:
    effect = Effect(1, 1, (low + high) / 2, low, high, p, 10, 10)
    assert verdict(effect, p, higher_is_better=False) == said
    turned = {"worse": "better", "better": "worse"}.get(said, said)
    assert verdict(effect, p, higher_is_better=True) == turned
