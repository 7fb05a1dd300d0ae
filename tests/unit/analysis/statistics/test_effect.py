"""Two groups of runs compared: what the centres, the ratio and its interval are of."""

import time

import numpy as np
import pytest
from scipy import stats as reference

from z3trace.analysis.statistics.effect import Sample, effect_of, effects


def test_centres_and_ratio_are_of_typical_runs() -> None:
    """A run that is far off, or a few runs in another mode, are not typical."""
    found = effect_of([1, 2, 4], [2, 4, 8], paired=False)
    assert (found.before, found.after, found.ratio) == pytest.approx((2, 4, 2))
    quiet, disturbed = [100.0, 101, 102, 103, 104, 105], [110.0, 111, 112, 113, 114, 400]
    found = effect_of(quiet, disturbed, paired=False)
    assert found.ratio == pytest.approx(1.098, abs=0.01)
    assert found.after / found.before == pytest.approx(found.ratio, abs=0.01)


def test_the_ratio_is_near_that_of_the_centres_also_in_two_modes() -> None:
    """Both are shown side by side: they differ by less than the interval is wide."""
    random = np.random.default_rng(4)
    for _ in range(100):
        sides = random.normal(0, 0.01, (2, 10)) + 0.3 * (random.random((2, 10)) < 0.4)
        found = effect_of(*(list(np.exp(side)) for side in sides), paired=False)
        assert found.low < found.after / found.before < found.high


def test_pairs_show_what_is_between_them() -> None:
    found = effect_of([1.0, 10, 100, 1000, 10000], [2.0, 20, 200, 2000, 20000], paired=True)
    assert (found.ratio, found.low, found.high) == pytest.approx((2, 2, 2))


def test_a_pair_of_which_one_run_is_missing_is_none() -> None:
    nan = float("nan")
    found = effect_of([1.0, nan, 3, 4, 5, 6], [2.0, 4, 6, nan, 10, 12], paired=True)
    assert (found.n_before, found.n_after) == (4, 4)
    assert found.ratio == pytest.approx(2)


def test_zeros_have_no_ratio() -> None:
    assert np.isnan(effect_of([0, 0, 0], [1, 1, 1], paired=True).ratio)


def test_a_resolution_widens_both_ends() -> None:
    narrow, wide = effects(
        [Sample([1.0, 2, 3, 4], [2.0, 3, 4, 5], False, r) for r in (0.0, float(np.log(1.1)))]
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


def test_what_is_beyond_a_comparison_s_work_is_by_formula() -> None:
    """So many metrics, and so many numbers of runs, cost no more than their ranks."""
    random = np.random.default_rng(12)
    many = [
        Sample(list(random.lognormal(0, 0.1, 10)), list(random.lognormal(0, 0.1, 10)))
        for _ in range(4000)
    ]
    found = effects(many)
    alone = effects(many[-1:])[0]
    exact = reference.mannwhitneyu(many[-1].before, many[-1].after, method="asymptotic")
    assert found[-1].p == pytest.approx(exact.pvalue)
    assert found[-1].ratio == alone.ratio
    assert found[0].p == effects(many[:1])[0].p, "the first ones are counted"


def test_a_whole_comparison_takes_no_time() -> None:
    """Fifty metrics with ties, and those of ten thousand runs."""
    random = np.random.default_rng(14)
    for runs, metrics, seconds in ((20, 57, 0.5), (5000, 57, 5.0)):
        rows = random.lognormal(5, 0.1, (metrics, 2, runs)).round(1)
        samples = [Sample(list(before), list(after)) for before, after in rows]
        started = time.process_time()
        effects(samples)
        assert time.process_time() - started < seconds


def test_the_error_is_that_of_the_shift() -> None:
    """Told by the width of intervals, as the shifts of many sessions vary."""
    random = np.random.default_rng(15)
    for paired, runs in ((False, 10), (True, 20)):
        found = effects(
            [
                Sample(*(list(x) for x in random.lognormal(0, 0.03, (2, runs))), paired)
                for _ in range(500)
            ]
        )
        spread = np.std([np.log(effect.ratio) for effect in found])
        assert np.median([effect.error for effect in found]) == pytest.approx(spread, rel=0.1)
        assert found[0].within == paired


def test_nearly_equal_runs_have_an_error_all_the_same() -> None:
    found = effect_of([5.0] * 9 + [6.0], [5.0] * 10, paired=False)
    assert (found.low, found.high) == (1, 1)
    assert found.error > 0


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
