"""Two groups of runs compared: what the centres, the ratio and its interval are of."""

import numpy as np
import pytest
from scipy import stats as reference

from z3trace.analysis.statistics.effect import Sample, effect_of, effects


def test_ratio_is_of_geometric_means() -> None:
    found = effect_of([1, 2, 4], [2, 4, 8], paired=False)
    assert found.before == pytest.approx(2)
    assert found.after == pytest.approx(4)
    assert found.ratio == pytest.approx(2)


def test_interval_agrees_with_student_on_normal_data() -> None:
    random = np.random.default_rng(3)
    before, after = random.normal(0, 0.1, 400), random.normal(0.2, 0.1, 400)
    found = effect_of(list(np.exp(before)), list(np.exp(after)), paired=True)
    exact = reference.ttest_rel(after, before).confidence_interval(0.95)
    assert np.log(found.low) == pytest.approx(exact.low, abs=0.0015)
    assert np.log(found.high) == pytest.approx(exact.high, abs=0.0015)


@pytest.mark.parametrize("paired", [True, False])
def test_interval_covers_the_truth(paired: bool) -> None:
    random = np.random.default_rng(5)
    covered = 0
    for _ in range(400):
        before, after = random.normal(0, 0.03, 10), random.normal(0.1, 0.03, 10)
        found = effect_of(list(np.exp(before)), list(np.exp(after)), paired=paired)
        covered += found.low <= np.exp(0.1) <= found.high
    assert 0.91 <= covered / 400 <= 0.985


def test_zeros_have_no_ratio() -> None:
    assert np.isnan(effect_of([0, 0, 0], [1, 1, 1], paired=True).ratio)


def test_many_runs_agree_with_welch() -> None:
    random = np.random.default_rng(6)
    before, after = random.normal(0, 0.1, 300), random.normal(0.01, 0.2, 500)
    found = effect_of(list(np.exp(before)), list(np.exp(after)), paired=False)
    exact = reference.ttest_ind(after, before, equal_var=False)
    assert found.p == pytest.approx(exact.pvalue, rel=1e-6)
    interval = exact.confidence_interval(0.95)
    assert np.log([found.low, found.high]) == pytest.approx([interval.low, interval.high])


def test_a_resolution_widens_both_ends() -> None:
    narrow, wide = effects(
        [Sample([1.0, 2, 3], [2.0, 3, 4], False, r) for r in (0.0, float(np.log(1.1)))]
    )
    assert wide.low == pytest.approx(narrow.low / 1.1)
    assert wide.high == pytest.approx(narrow.high * 1.1)
    assert (wide.ratio, wide.p) == (narrow.ratio, narrow.p)


def test_effects_come_back_in_the_order_of_their_samples() -> None:
    """Whatever their shapes are: those of one shape are worked on together."""
    samples = [
        Sample([1.0, 1.0], [3.0, 3.0]),
        Sample([1.0, 1.0, 1.0], [5.0, 5.0, 5.0]),
        Sample([0.0, 2.0], [7.0, 7.0]),
        Sample([1.0, 1.0], [9.0, 9.0]),
    ]
    assert [effect.ratio for effect in effects(samples)] == pytest.approx([3, 5, 7, 9])


def test_values_that_are_no_numbers_do_not_count() -> None:
    effect = effect_of([1.0, float("nan"), 4.0], [2.0, float("inf"), 8.0], paired=False)
    assert (effect.before, effect.after) == pytest.approx((2, 4))
    assert (effect.n_before, effect.n_after) == (2, 2)


def test_what_is_beyond_a_comparison_s_work_is_student_s() -> None:
    """So many metrics, and so many numbers of runs, cost no more than their means."""
    random = np.random.default_rng(12)
    many = [
        Sample(list(random.lognormal(0, 0.1, 10)), list(random.lognormal(0, 0.1, 10)))
        for _ in range(4000)
    ]
    found = effects(many)
    alone = effects(many[-1:])[0]
    exact = reference.ttest_ind(np.log(many[-1].after), np.log(many[-1].before), equal_var=False)
    assert found[-1].p == pytest.approx(exact.pvalue, rel=1e-6)
    assert found[-1].ratio == alone.ratio
    assert found[0].p == effects(many[:1])[0].p, "the first ones are resampled"


def test_zeros_are_worked_on_together_as_each_alone() -> None:
    random = np.random.default_rng(13)
    samples = [
        Sample([0.0, *random.gamma(8, 1, 9)], list(random.gamma(8, 1, 10)), paired)
        for paired in (False, True, False)
    ]
    for together, sample in zip(effects(samples), samples, strict=True):
        (alone,) = effects([sample])
        assert (together.low, together.high, together.p) == pytest.approx(
            (alone.low, alone.high, alone.p)
        )
