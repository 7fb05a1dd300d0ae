"""The statistics against scipy by hand, and their promises by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import recording
from scipy import stats as reference
from z3trace.analysis import compare, quantiles, stats

from z3trace.errors import IncomparableError


def test_ratio_is_of_geometric_means() -> None:
    found = stats.effect([1, 2, 4], [2, 4, 8], paired=False)
    assert found.before == pytest.approx(2)
    assert found.after == pytest.approx(4)
    assert found.ratio == pytest.approx(2)


def test_interval_agrees_with_student_on_normal_data() -> None:
    random = np.random.default_rng(3)
    before, after = random.normal(0, 0.1, 400), random.normal(0.2, 0.1, 400)
    found = stats.effect(list(np.exp(before)), list(np.exp(after)), paired=True)
    exact = reference.ttest_rel(after, before).confidence_interval(0.95)
    assert np.log(found.low) == pytest.approx(exact.low, abs=0.0015)
    assert np.log(found.high) == pytest.approx(exact.high, abs=0.0015)


def test_permutation_p_agrees_with_scipy() -> None:
    random = np.random.default_rng(4)
    before, after = random.normal(0, 1, 8), random.normal(1, 1, 8)
    exact = reference.permutation_test(
        (before, after),
        lambda x, y: abs(x.mean() - y.mean()),
        n_resamples=np.inf,
        alternative="greater",
    ).pvalue
    assert stats.permutation_p(before, after) == pytest.approx(exact, abs=0.01)


def test_holm_agrees_with_a_worked_example() -> None:
    # Four p-values, smallest times four and so on, never falling.
    assert stats.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert np.isnan(stats.holm([float("nan"), 0.5])[0])


@pytest.mark.parametrize("paired", [True, False])
def test_interval_covers_the_truth(paired: bool) -> None:
    random = np.random.default_rng(5)
    covered = 0
    for _ in range(400):
        before, after = random.normal(0, 0.03, 10), random.normal(0.1, 0.03, 10)
        found = stats.effect(list(np.exp(before)), list(np.exp(after)), paired=paired)
        covered += found.low <= np.exp(0.1) <= found.high
    assert 0.91 <= covered / 400 <= 0.985


def test_few_runs_have_no_verdict() -> None:
    found = stats.effect([1, 1.01, 1.02, 1.0], [9, 9.1, 9.2, 9.0], paired=False)
    assert stats.verdict(found, 0.001, higher_is_better=False) == "inconclusive"


def test_zeros_have_no_ratio() -> None:
    assert np.isnan(stats.effect([0, 0, 0], [1, 1, 1], paired=True).ratio)


@given(st.lists(st.integers(1, 10**9), min_size=50, max_size=200))
def test_quantiles_are_off_by_at_most_a_bucket(values: list[int]) -> None:
    from samples import series

    found = quantiles.bounded(series("latency", "alloc", values), [0.5, 0.9])
    exact = np.quantile(values, [0.5, 0.9], method="inverted_cdf")
    assert np.all(np.abs(found - exact) <= exact / 16 + 1)


def test_a_recording_against_itself_shows_no_difference() -> None:
    same = recording(runs=10)
    found = compare.compare(same, same)
    assert {m.verdict for m in found.metrics} <= {"no difference", "inconclusive", "not tested"}


def test_a_real_change_is_found_in_the_right_direction() -> None:
    found = compare.compare(recording("before"), recording("after", scale=0.7, seed=2))
    verdicts = {(m.metric, m.statistic): m.verdict for m in found.metrics}
    assert verdicts["latency", "p50"] == "better"
    assert verdicts["throughput", "mean"] == "better"
    worse = compare.compare(recording("before"), recording("after", scale=1.4, seed=2))
    assert {m.verdict for m in worse.select("latency")} == {"worse"}


def test_recordings_that_differ_in_what_matters_are_refused() -> None:
    other = recording("after", workload="another one")
    with pytest.raises(IncomparableError, match="workload: zpool-bench") as raised:
        compare.compare(recording("before"), other)
    assert raised.value.exit_code == 5
    allowed = compare.compare(recording("before"), other, allow_mismatch=True)
    assert any("workload differs" in caveat for caveat in allowed.caveats)


def test_loss_forbids_a_verdict() -> None:
    import msgspec

    from z3trace.model import Ledger

    lossy = recording("before")
    runs = [
        msgspec.structs.replace(r, ledger=Ledger(skipped_programs=50)) if r.probed else r
        for r in lossy.runs
    ]
    with pytest.raises(IncomparableError, match="500 of .* events were lost"):
        compare.compare(msgspec.structs.replace(lossy, runs=runs), recording("after"))
