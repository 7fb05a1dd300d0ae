"""Intervals of many metrics at once."""

import numpy as np
import pytest
from scipy import stats as reference

from z3trace.analysis.statistics import interval


def test_equal_runs_have_an_interval_without_width() -> None:
    low, high = interval.intervals(np.full((1, 5), 2.0), np.full((1, 5), 3.0), paired=False)
    assert (low[0], high[0]) == (1.0, 1.0)


def test_each_row_has_the_interval_that_it_has_alone() -> None:
    random = np.random.default_rng(3)
    before, after = random.normal(0, 1, (20, 8)), random.normal(1, 1, (20, 8))
    together = interval.intervals(before, after, paired=False)
    alone = interval.intervals(before[17:18], after[17:18], paired=False)
    assert [end[17] for end in together] == pytest.approx([end[0] for end in alone])


def test_pairs_take_out_what_both_sides_share() -> None:
    random = np.random.default_rng(4)
    shared = random.normal(0, 5, (1, 12))
    before, after = shared + random.normal(0, 0.1, (1, 12)), shared + random.normal(1, 0.1, (1, 12))
    paired, unpaired = (
        np.diff(np.array(interval.intervals(before, after, paired=p)).T)[0, 0]
        for p in (True, False)
    )
    assert paired < unpaired / 10


def test_the_standard_error_is_welch_s() -> None:
    random = np.random.default_rng(5)
    before, after = random.normal(0, 1, 6), random.normal(0, 3, 9)
    error, freedom = interval.welch(before[None], after[None])
    exact = reference.ttest_ind(after, before, equal_var=False)
    assert (after.mean() - before.mean()) / error[0] == pytest.approx(exact.statistic)
    assert freedom[0] == pytest.approx(exact.df)


def test_above_many_runs_it_is_student_s() -> None:
    random = np.random.default_rng(6)
    before, after = random.normal(0, 1, 150), random.normal(0, 1, 150)
    low, high = interval.intervals(before[None], after[None], paired=True)
    exact = reference.ttest_rel(after, before).confidence_interval(interval.LEVEL)
    assert (low[0], high[0]) == pytest.approx((exact.low, exact.high))
