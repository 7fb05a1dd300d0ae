"""The interval of a ratio of means among which there are zeros."""

import numpy as np
import pytest
from scipy import stats as reference

from z3trace.analysis.statistics import fieller
from z3trace.analysis.statistics.effect import effect_of


@pytest.mark.parametrize("paired", [True, False])
def test_interval_among_zeros_covers_the_truth(paired: bool) -> None:
    """Waits of runs of which many have none: 4 ns on average before, 1 ns after."""
    random = np.random.default_rng(6)
    covered = bounded = 0
    for _ in range(400):
        noise = random.lognormal(0, 0.2, 10) if paired else np.ones(10)
        before, after = noise * random.gamma(8, 0.5, 10), noise * random.poisson(1, 10)
        after[0] = 0
        found = effect_of(list(before), list(after), paired=paired)
        bounded += np.isfinite(found.high)
        covered += found.low <= 0.9 * 0.25 <= found.high
    assert bounded == 400
    assert 0.89 <= covered / 400 <= 0.985


def test_interval_of_means_that_are_not_clear_of_nothing() -> None:
    found = effect_of([0, 0, 0, 0, 9], [1, 2, 1, 2, 1], paired=False)
    assert found.ratio == pytest.approx(7 / 9)
    assert np.isnan([found.low, found.high]).all(), "any ratio is possible"
    none = effect_of([3, 4, 3, 4], [0, 0, 0, 0], paired=True)
    assert (none.ratio, none.low, none.high) == (0, 0, 0)


def test_its_ends_are_where_student_s_t_is_at_its_limit() -> None:
    """The definition: at either end mean(after) - r mean(before) is just not 0."""
    before, after = np.array([4.0, 5, 6, 5, 4]), np.array([3.0, 5, 4, 6, 3])
    for (ratio,) in fieller.interval(before[None], after[None], paired=True):
        assert reference.ttest_1samp(after - ratio * before, 0).pvalue == pytest.approx(0.05)


def test_one_run_has_none() -> None:
    effect = effect_of([1.0], [0.0, 2.0], paired=False)
    assert (effect.before, effect.after, effect.ratio) == (1, 1, 1)
    assert np.isnan([effect.low, effect.high, effect.p]).all()
