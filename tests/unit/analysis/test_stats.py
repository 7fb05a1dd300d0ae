"""The statistics against scipy by hand, and their promises by simulation."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import recording
from scipy import stats as reference

from z3trace.analysis.comparing.comparison import Comparison, compare
from z3trace.analysis.figures import histogram, stability
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.statistics.effect import Effect, Sample, effect_of, effects
from z3trace.analysis.statistics.permutation import p_values
from z3trace.analysis.statistics.verdict import detectable, holm, runs_to_settle, verdict
from z3trace.data import buckets, runfile
from z3trace.data.model import Recording, Series
from z3trace.errors import IncomparableError


def compared(before: Recording, after: Recording, *, allow_mismatch: bool = False) -> Comparison:
    return compare(Digest.of(before), Digest.of(after), allow_mismatch=allow_mismatch)


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


def test_holm_agrees_with_a_worked_example() -> None:
    # Four p-values, smallest times four and so on, never falling.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert np.isnan(holm([float("nan"), 0.5])[0])


@pytest.mark.parametrize("paired", [True, False])
def test_interval_covers_the_truth(paired: bool) -> None:
    random = np.random.default_rng(5)
    covered = 0
    for _ in range(400):
        before, after = random.normal(0, 0.03, 10), random.normal(0.1, 0.03, 10)
        found = effect_of(list(np.exp(before)), list(np.exp(after)), paired=paired)
        covered += found.low <= np.exp(0.1) <= found.high
    assert 0.91 <= covered / 400 <= 0.985


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


def test_few_runs_have_no_verdict() -> None:
    found = effect_of([1, 1.01, 1.02, 1.0], [9, 9.1, 9.2, 9.0], paired=False)
    assert verdict(found, 0.001, higher_is_better=False) == "too few runs"


def test_zeros_have_no_ratio() -> None:
    assert np.isnan(effect_of([0, 0, 0], [1, 1, 1], paired=True).ratio)


@given(st.lists(st.integers(1, 10**9), min_size=50, max_size=200))
def test_quantiles_are_off_by_at_most_a_bucket(values: list[int]) -> None:
    from samples import series

    found, resolution = histogram.Histogram(series("latency", "alloc", values)).quantiles(
        [0.5, 0.9]
    )
    exact = np.quantile(values, [0.5, 0.9], method="inverted_cdf")
    assert np.all(np.abs(found - exact) <= exact / 16 + 1)
    assert np.all(resolution <= np.log(1 + 1 / 16) + 1e-9)


def test_a_recording_against_itself_shows_no_difference() -> None:
    same = recording(runs=10)
    found = compare(Digest.of(same), Digest.of(same))
    assert {m.verdict for m in found.metrics} <= {"no difference", "inconclusive", "not tested"}


def test_a_real_change_is_found_in_the_right_direction() -> None:
    found = compared(recording("before"), recording("after", scale=0.7, seed=2))
    verdicts = {(m.metric, m.statistic): m.verdict for m in found.metrics}
    assert verdicts["latency", "p50"] == "better"
    assert verdicts["throughput", "mean"] == "better"
    worse = compared(recording("before"), recording("after", scale=1.4, seed=2))
    assert {m.verdict for m in worse.select("latency")} == {"worse"}


def test_recordings_that_differ_in_what_matters_are_refused() -> None:
    other = recording("after", workload="another one")
    with pytest.raises(IncomparableError, match=r"workload +zpool-bench") as raised:
        compared(recording("before"), other)
    assert raised.value.exit_code == 5
    allowed = compared(recording("before"), other, allow_mismatch=True)
    assert any("workload differs" in caveat for caveat in allowed.caveats)


def test_loss_forbids_a_verdict() -> None:
    import msgspec

    from z3trace.data.model import Ledger

    lossy = recording("before")
    runs = [
        msgspec.structs.replace(r, ledger=Ledger(skipped_programs=50)) if r.probed else r
        for r in lossy.runs
    ]
    with pytest.raises(IncomparableError, match="500 of .* events were lost"):
        compared(msgspec.structs.replace(lossy, runs=runs), recording("after"))


def test_many_runs_agree_with_welch() -> None:
    random = np.random.default_rng(6)
    before, after = random.normal(0, 0.1, 300), random.normal(0.01, 0.2, 500)
    found = effect_of(list(np.exp(before)), list(np.exp(after)), paired=False)
    exact = reference.ttest_ind(after, before, equal_var=False)
    assert found.p == pytest.approx(exact.pvalue, rel=1e-6)
    interval = exact.confidence_interval(0.95)
    assert np.log([found.low, found.high]) == pytest.approx([interval.low, interval.high])


def test_exchange_by_hand() -> None:
    """1, 2 against 3, 4: of the six ways to halve them two are as far apart."""
    assert p_values(np.array([[1.0, 2]]), np.array([[3.0, 4]]))[0] == pytest.approx(2 / 6)


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


def test_values_on_a_clock_s_ticks_widen_the_interval() -> None:
    """All in one bucket, which is all that is known: 1000 and 1020 are the same then."""
    from samples import series

    ticks, smooth = [1000] * 500, [int(x) for x in np.random.default_rng(9).lognormal(7, 0.5, 5000)]
    _, alone = histogram.Histogram(series("latency", "alloc", [1, *ticks, 5000])).quantiles([0.5])
    _, even = histogram.Histogram(series("latency", "alloc", smooth)).quantiles([0.5])
    assert alone[0] > 0.015
    assert even[0] < 0.005
    effect = effects([Sample([1000.0] * 8, [1020.0] * 8, False, 2 * float(alone[0]))])[0]
    assert effect.low < 1 < effect.high


def test_drift_first_run_and_modes_are_told() -> None:
    random = np.random.default_rng(10)
    steady = np.exp(random.normal(0, 0.01, 20))
    change, p = stability.drift(steady * np.linspace(1, 1.2, 20))
    assert change == pytest.approx(0.2, abs=0.03)
    assert p < 0.001
    assert stability.drift(steady)[1] > 0.01
    assert stability.first_apart(steady) == 0
    assert stability.first_apart(np.concatenate([[1.3], steady])) == pytest.approx(0.3, abs=0.03)
    assert stability.modes(steady) is None
    low, high = stability.modes(np.concatenate([steady, steady * 1.5])) or (steady, steady)
    assert low.size == high.size == 20


def test_a_stream_of_runs_is_digested_as_the_whole(tmp_path: Path) -> None:
    whole = recording("before")
    path = tmp_path / "x.z3t"
    with runfile.Writer(path) as writer:
        writer.session(whole.session)
        for run in whole.runs:
            writer.run(run)
        writer.finish(interrupted=False)
    one, other = Digest.of(whole), Digest.read(path)
    assert one.complete
    assert other.complete
    assert one.runs == other.runs
    for x, y in zip(one.rows(), other.rows(), strict=True):
        assert x[0] == y[0]
        assert list(x[2]) == list(y[2])


def test_pairs_that_drift_together_show_their_difference() -> None:
    """Twice as slow at the end as at the beginning, on both sides: pairs see through it."""
    random = np.random.default_rng(11)
    drift = np.linspace(0, 1, 20)
    before = drift + random.normal(0, 0.02, 20)
    after = drift + random.normal(0.05, 0.02, 20)
    assert p_values(before[None], after[None], paired=True)[0] < 0.001
    assert p_values(before[None], after[None])[0] > 0.1
    same = random.normal(0, 0.02, (400, 20)), random.normal(0, 0.02, (400, 20))
    assert 0.02 <= np.mean(p_values(*same, paired=True) < 0.05) <= 0.08


def test_no_wait_is_none_and_not_less_than_a_nanosecond() -> None:
    counts = np.zeros(buckets.BUCKETS)
    counts[0], counts[buckets.index(1000)] = 90, 10
    assert histogram.quantiles(counts, (0.1, 0.5, 0.85)).tolist() == [0, 0, 0]
    series = Series(
        metric="wait",
        lock="page",
        count=100,
        sum=10_000,
        min=0,
        max=1000,
        buckets=[(0, 90), (buckets.index(1000), 10)],
    )
    values, _ = histogram.Histogram(series).quantiles((0.1, 0.5, 0.85, 0.99))
    assert values[:3].tolist() == [0, 0, 0]
    assert values[3] > 900


def test_too_few_runs_are_said_to_find_nothing() -> None:
    """Two runs a side have a spread, but no verdict: a figure of it would be absurd."""
    few, enough = (
        effect_of(values, values[::-1], paired=False)
        for values in ([1.0, 2.0], [1.0, 2.0, 1.5, 1.2, 1.8])
    )
    assert np.isnan(detectable(few, 1))
    assert detectable(enough, 1) > 0


def test_a_corrected_figure_that_is_as_good_as_nothing_has_no_ratio() -> None:
    from samples import FLOOR

    from z3trace.analysis.report import details

    sides = [recording("before"), recording("after", scale=FLOOR / 4000)]
    found = {row[0]: row[1:] for row in details.corrected(compare(*map(Digest.of, sides)))}
    before, after, *ratio = found["latency alloc p50"]
    assert not before.startswith("<")
    assert after == "<30 ns"
    assert ratio == ["-", "-"]
