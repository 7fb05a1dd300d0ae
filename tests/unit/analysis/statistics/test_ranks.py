"""Rank tests, held against scipy's and against every exchange there is."""

from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats as reference

from z3trace.analysis.statistics import ranks
from z3trace.analysis.statistics.ranks import Floats, p_values


def p_of(before: Floats, after: Floats, *, paired: bool = False, exact: bool = True) -> float:
    return float(p_values(before[None], after[None], paired=paired, exact=exact)[0])


@pytest.mark.parametrize("sizes", [(1, 1), (2, 3), (5, 5), (10, 10), (7, 16), (20, 20)])
def test_groups_agree_with_mann_and_whitney_s_exact_test(sizes: tuple[int, int]) -> None:
    random = np.random.default_rng(4)
    for shift in (0.0, 0.8, 3.0):
        before, after = random.normal(0, 1, sizes[0]), random.normal(shift, 1, sizes[1])
        exact = reference.mannwhitneyu(before, after, method="exact").pvalue
        assert p_of(before, after) == pytest.approx(exact)


@pytest.mark.parametrize("pairs", [16, 20, 40])
def test_pairs_agree_with_wilcoxon_s_exact_test(pairs: int) -> None:
    random = np.random.default_rng(5)
    for shift in (0.0, 0.5, 3.0):
        before, after = random.normal(0, 1, pairs), random.normal(shift, 1, pairs)
        exact = reference.wilcoxon(after, before, method="exact").pvalue
        assert p_of(before, after, paired=True) == pytest.approx(exact)


@pytest.mark.parametrize("seed", range(6))
def test_equal_runs_count_as_every_exchange_says(seed: int) -> None:
    """A clock's ticks: every one of the 1716 or fewer ways to share the labels out."""
    random = np.random.default_rng(seed)
    n, m = random.integers(3, 7, 2)
    before, after = random.integers(0, 4, n) + 0.0, random.integers(1, 5, m) + 0.0
    pooled = reference.rankdata(np.concatenate([before, after]))
    middle = m * (n + m + 1) / 2
    observed = abs(pooled[n:].sum() - middle)
    far = [
        abs(sum(pooled[list(chosen)]) - middle) >= observed - 1e-9
        for chosen in combinations(range(n + m), m)
    ]
    assert p_of(before, after) == pytest.approx(np.mean(far))


def test_equal_changes_count_as_every_exchange_says() -> None:
    """Of 18 pairs seven did not change at all, which says nothing either way."""
    change = np.array([1.0, 1, 2, -1, 3, 3, 2, 2, -2, 1, 4, 0, 0, 0, 0, 0, 0, 0])
    moved = change[change != 0]
    weights = reference.rankdata(np.abs(moved))
    middle = weights.sum() / 2
    observed = abs(weights[moved > 0].sum() - middle)
    signs = np.array(list(product((0, 1), repeat=moved.size)))
    far = np.abs(signs @ weights - middle) >= observed - 1e-9
    assert p_of(np.zeros(18), change, paired=True) == pytest.approx(far.mean())


@pytest.mark.parametrize("ticks", [False, True])
def test_many_runs_agree_with_scipy_s_approximation(ticks: bool) -> None:
    random = np.random.default_rng(6)
    before, after = random.normal(0, 1, 60), random.normal(0.4, 1, 80)
    pairs = random.normal(0, 1, 70), random.normal(0.3, 1, 70)
    if ticks:
        before, after, pairs = before.round(1), after.round(1), tuple(x.round(1) for x in pairs)
    exact = reference.mannwhitneyu(before, after, method="asymptotic").pvalue
    assert p_of(before, after) == pytest.approx(exact)
    exact = reference.wilcoxon(pairs[1] - pairs[0], correction=True, method="approx").pvalue
    assert p_of(*pairs, paired=True) == pytest.approx(exact, rel=0.02)


def test_the_approximation_is_cautious_far_out() -> None:
    random = np.random.default_rng(7)
    for _ in range(20):
        before, after = random.normal(0, 1, 15), random.normal(1.2, 1, 15)
        counted, near = p_of(before, after), p_of(before, after, exact=False)
        assert counted > 0.01 or near >= counted


def test_pairs_that_drift_together_show_their_difference() -> None:
    """Twice as slow at the end as at the beginning, on both sides: pairs see through it."""
    random = np.random.default_rng(11)
    drift = np.linspace(0, 1, 20)
    before = drift + random.normal(0, 0.02, 20)
    after = drift + random.normal(0.05, 0.02, 20)
    assert p_of(before, after, paired=True) < 0.001
    assert p_of(before, after) > 0.1
    few = ranks.ENOUGH_PAIRS - 1
    assert p_of(before[:few], after[:few], paired=True) == p_of(before[:few], after[:few])


@pytest.mark.parametrize("paired", [False, True])
def test_equal_sides_are_called_different_as_often_as_said(paired: bool) -> None:
    random = np.random.default_rng(12)
    draws = (
        random.standard_t(2, (2000, 40)),
        random.integers(0, 3, (2000, 40)) + 0.0,
        random.normal(0, 1, (2000, 40)),
    )
    for runs in draws:
        p = p_values(runs[:, :20], runs[:, 20:], paired=paired)
        assert np.mean(p < 0.05) <= 0.062
        assert np.mean(p < 0.005) <= 0.009


def test_equal_runs_have_a_p_of_1() -> None:
    for paired, exact in product((False, True), (False, True)):
        same = np.full(20, 3.0)
        assert p_of(same, same, paired=paired, exact=exact) == 1


def test_the_least_p_is_that_of_sides_wholly_apart() -> None:
    for n, m in ((5, 5), (8, 8), (6, 10), (16, 16)):
        apart = p_of(np.arange(n) + 0.0, np.arange(m) + 100.0)
        assert ranks.attainable(n, m, apart * 1.001, within=False) == pytest.approx(apart)
        assert ranks.attainable(n, m, apart * 0.999, within=False) == 0
    apart = p_of(np.zeros(20), np.arange(20) + 1.0, paired=True)
    assert ranks.attainable(20, 20, apart * 1.001, within=True) == pytest.approx(apart)
    assert ranks.attainable(1000, 1000, 1e-9, within=False) == 1e-9


@pytest.mark.parametrize("within", [False, True])
def test_an_attainable_p_is_one_that_is_had(within: bool) -> None:
    random = np.random.default_rng(13)
    before, after = random.normal(0, 1, (2000, 16)), random.normal(0.5, 1, (2000, 16))
    had = np.unique(p_values(before, after, paired=within))
    for limit in (0.04, 0.01):
        most = had[had < limit][-1]
        assert ranks.attainable(16, 16, limit, within=within) == pytest.approx(most)
