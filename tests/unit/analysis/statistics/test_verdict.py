"""What may be said of an effect."""

import numpy as np
import pytest
from scipy import stats as reference

from z3trace.analysis.statistics.effect import Effect, effect_of
from z3trace.analysis.statistics.permutation import p_values
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


def test_the_detectable_change_is_found_four_times_of_five() -> None:
    random = np.random.default_rng(8)
    first = effect_of(
        list(np.exp(random.normal(0, 0.03, 10))),
        list(np.exp(random.normal(0, 0.03, 10))),
        paired=False,
    )
    # The true spread in place of the one that ten runs happened to have.
    exact = Effect(1, 1, 1, 0.9, 1.1, 1, 10, 10, error=0.03 * np.sqrt(2 / 10))
    change = np.log1p(detectable(exact, 1))
    assert detectable(first, 1) > 0
    before, after = random.normal(0, 0.03, (600, 10)), random.normal(change, 0.03, (600, 10))
    found = np.mean(p_values(before, after) < 0.05)
    assert 0.75 <= found <= 0.92


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
        (1.05, 1.2, 0.04, "inconclusive"),
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
