"""Student's t."""

import numpy as np
import pytest
from scipy import stats as reference

from z3trace.analysis.statistics import student


def test_the_standard_error_is_welch_s() -> None:
    random = np.random.default_rng(5)
    before, after = random.normal(0, 1, 6), random.normal(0, 3, 9)
    error, freedom = student.welch(before[None], after[None])
    exact = reference.ttest_ind(after, before, equal_var=False)
    assert (after.mean() - before.mean()) / error[0] == pytest.approx(exact.statistic)
    assert freedom[0] == pytest.approx(exact.df)


def test_the_standard_error_of_a_mean_is_scipy_s() -> None:
    values = np.array([1.0, 4, 2, 8])
    assert student.standard_error(values[None])[0] == pytest.approx(reference.sem(values))
