"""The shift between groups and its interval, for many metrics at once."""

from collections.abc import Callable
from itertools import pairwise, product

import numpy as np
import pytest
from scipy import stats as reference

from z3trace.analysis.statistics import interval, ranks
from z3trace.analysis.statistics.ranks import EXACT, Floats

Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]
SMALL = [(4, 4), (5, 5), (5, 9), (10, 10), (12, 7)]


def one(before: Floats, after: Floats, *, paired: bool) -> tuple[float, float, float]:
    found = interval.shifts(before[None], after[None], paired=paired)
    shift, low, high = found.shift, found.low, found.high
    return float(shift[0]), float(low[0]), float(high[0])


def test_a_shift_by_hand() -> None:
    """1, 2, 4 against 3, 9: differences 2, 1, -1, 8, 7, 5, of which the middle is 3.5."""
    assert one(np.array([1.0, 2, 4]), np.array([3.0, 9]), paired=False)[0] == 3.5
    assert interval.centres(np.array([[1.0, 2, 9]])) == [3.5], "1, 1.5, 2, 5, 5.5 and 9"
    assert np.isnan(interval.centres(np.empty((1, 0)))[0])


@pytest.mark.parametrize("sizes", SMALL)
def test_its_ends_are_where_mann_and_whitney_s_test_changes_its_mind(
    sizes: tuple[int, int],
) -> None:
    """Just inside it no shift is refused at its level, just outside every one is."""
    random = np.random.default_rng(3)
    before, after = random.normal(0, 1, sizes[0]), random.normal(0.5, 1, sizes[1])
    _, *ends = one(before, after, paired=False)
    inside, outside = (
        [
            reference.mannwhitneyu(before, after - end - away, method="exact").pvalue
            for end, away in zip(ends, (step, -step), strict=True)
        ]
        for step in (1e-9, -1e-9)
    )
    assert max(outside) < min(inside)
    assert max(outside) <= 0.07
    assert abs(max(outside) - 0.05) <= abs(min(inside) - 0.05), "the level nearest to 95 %"


@pytest.mark.parametrize("pairs", [5, 6, 10, 17])
def test_its_ends_are_where_wilcoxon_s_test_changes_its_mind(pairs: int) -> None:
    random = np.random.default_rng(4)
    before, after = random.normal(0, 1, pairs), random.normal(0.5, 1, pairs)
    _, *ends = one(before, after, paired=True)
    inside, outside = (
        [
            reference.wilcoxon(after - before - end - away, method="exact").pvalue
            for end, away in zip(ends, (step, -step), strict=True)
        ]
        for step in (1e-9, -1e-9)
    )
    assert max(outside) <= 0.07
    assert abs(max(outside) - 0.05) <= abs(min(inside) - 0.05), "the level nearest to 95 %"


def _log_normal(random: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return random.normal(0, 0.03, shape)


def _bimodal(random: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return random.normal(0, 0.005, shape) + 0.06 * (random.random(shape) < 0.4)


def _heavy(random: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return 0.02 * random.standard_t(2, shape)


@pytest.mark.parametrize(
    ("draw", "runs", "paired"),
    list(product((_log_normal, _bimodal, _heavy), (5, 10, 40), (False, True))),
)
def test_it_covers_the_truth_whatever_the_runs_are_like(
    draw: Draw, runs: int, paired: bool
) -> None:
    """Pairs have more in common than sets them apart."""
    random = np.random.default_rng(5)
    shared = random.normal(0, 0.5, (4000, runs)) if paired else 0
    before, after = (shared + draw(random, (4000, runs)) for _ in range(2))
    found = interval.shifts(before, after, paired=paired)
    low, high = found.low, found.high
    assert 0.93 <= float(np.mean((low <= 0) & (high >= 0))) <= 0.965


def test_too_few_runs_have_no_interval() -> None:
    for runs, paired in ((1, False), (3, False), (3, True)):
        _, low, high = one(np.arange(runs) + 0.0, np.arange(runs) + 7.0, paired=paired)
        assert (low, high) == (-np.inf, np.inf)
    sides = np.arange(4.0), np.array([7.0, 9, 9, 11])
    assert one(*sides, paired=True) == one(*sides, paired=False), "four pairs are two groups"


def test_equal_runs_have_an_interval_without_width() -> None:
    assert one(np.full(5, 2.0), np.full(5, 3.0), paired=False) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("within", [True, False])
@pytest.mark.parametrize("runs", [6, 10, 20, 60])
def test_the_end_of_a_level_is_what_the_test_at_that_level_leaves(runs: int, within: bool) -> None:
    """It falls with the level; a shift above it is found, one below it is not."""
    random = np.random.default_rng(9)
    before, after = random.standard_t(2, (40, runs)), random.standard_t(2, (40, runs))
    levels = [0.05, 0.02, 0.005, 0.002, 0.0005, 0.0001]
    ends = [interval.lower_ends(before, after, level, within=within) for level in levels]
    known = [(level, end) for level, end in zip(levels, ends, strict=True) if end is not None]
    assert len(known) >= {6: 1, 10: 3}.get(runs, 6)
    assert all((one >= other).all() for (_, one), (_, other) in pairwise(known))
    if runs == 6 and not within:
        assert len(known) == 3, "2/924 is the least p of 6 + 6 runs"
    paired = within and runs >= ranks.ENOUGH_PAIRS
    if not ranks.counted(runs, runs, within=within) or paired != within:
        return  # about right only, or a test that is made across such pairs
    for level, end in known:
        for more in (1e-9, -1e-9):
            p = ranks.p_values(before, after - end[:, None] + more, paired=paired)
            assert ((p < level) == (more > 0)).all()


def test_each_row_has_the_interval_that_it_has_alone() -> None:
    random = np.random.default_rng(3)
    before, after = random.normal(0, 1, (20, 8)), random.normal(1, 1, (20, 8))
    together = interval.shifts(before, after, paired=False)
    alone = interval.shifts(before[17:18], after[17:18], paired=False)
    assert [end[17] for end in together] == [end[0] for end in alone]


def test_pairs_take_out_what_both_sides_share() -> None:
    random = np.random.default_rng(4)
    shared = random.normal(0, 5, 12)
    before, after = shared + random.normal(0, 0.1, 12), shared + random.normal(1, 0.1, 12)
    paired, unpaired = (np.ptp(one(before, after, paired=p)[1:]) for p in (True, False))
    assert paired < unpaired / 10


@pytest.mark.parametrize("paired", [True, False])
def test_the_normal_approximation_goes_on_where_counting_ends(paired: bool) -> None:
    random = np.random.default_rng(6)
    runs = EXACT if paired else EXACT // 2
    before, after = random.normal(0, 1, (50, runs)), random.normal(0.2, 1, (50, runs))
    counted, near = (
        interval.shifts(before, after, paired=paired, exact=exact) for exact in (True, False)
    )
    assert near[0] == pytest.approx(counted[0])
    for ends in zip(counted[1:3], near[1:3], strict=True):
        assert np.abs(np.subtract(*ends)).max() < 0.03


@pytest.mark.parametrize("paired", [True, False])
def test_many_runs_are_taken_by_their_quantiles(paired: bool) -> None:
    """The same to a hundredth of the interval's width, and as Student's is."""
    random = np.random.default_rng(7)
    before, after = random.normal(0, 1, 900), random.normal(0.3, 1, 900)
    shift, low, high = one(before, after, paired=paired)
    if paired:
        first, second = np.triu_indices(900)
        every = ((after - before)[first] + (after - before)[second]) / 2
        exact = reference.ttest_rel(after, before).confidence_interval(0.95)
    else:
        every = np.subtract.outer(after, before)
        exact = reference.ttest_ind(after, before).confidence_interval(0.95)
    assert shift == pytest.approx(np.median(every), abs=(high - low) / 100)
    assert high - low == pytest.approx(exact.high - exact.low, rel=0.08)
