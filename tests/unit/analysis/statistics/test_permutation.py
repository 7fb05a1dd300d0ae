"""Tests of means by exchange of the labels of runs."""

import numpy as np
import pytest
from scipy import stats as reference

from z3trace.analysis.statistics.permutation import p_values


def test_permutation_p_agrees_with_scipy() -> None:
    random = np.random.default_rng(4)
    before, after = random.normal(0, 1, 8), random.normal(1, 1, 8)
    exact = reference.permutation_test(
        (before, after),
        lambda x, y: abs(x.mean() - y.mean()),
        n_resamples=np.inf,
        alternative="greater",
    ).pvalue
    found = p_values(before[None], after[None])[0]
    assert found == pytest.approx(exact, abs=1e-9), "12870 exchanges: all of them are counted"


def test_exchange_by_hand() -> None:
    """1, 2 against 3, 4: of the six ways to halve them two are as far apart."""
    assert p_values(np.array([[1.0, 2]]), np.array([[3.0, 4]]))[0] == pytest.approx(2 / 6)


def test_many_runs_and_what_is_not_resampled_agree_with_welch() -> None:
    random = np.random.default_rng(6)
    for runs, resampled in ((20, False), (150, True)):
        before, after = random.normal(0, 0.1, runs), random.normal(0.01, 0.2, runs + 9)
        exact = reference.ttest_ind(after, before, equal_var=False)
        found = p_values(before[None], after[None], resampled=resampled)[0]
        assert found == pytest.approx(exact.pvalue, rel=1e-6)


def test_p_is_never_nothing() -> None:
    """Of 20 000 drawn exchanges the observed one is one."""
    p = p_values(np.zeros((1, 12)), np.ones((1, 12)))[0]
    assert 0 < p <= 2 / 20000


def test_equal_sides_have_a_p_of_1() -> None:
    same = np.array([[1.0, 2, 3]])
    assert p_values(same, same)[0] == pytest.approx(1)
