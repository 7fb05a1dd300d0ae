"""Two families of tests held together."""

from itertools import product

import numpy as np
import pytest

from z3trace.analysis.statistics.family import SHARE, adjust, holm, strictness

NAN = float("nan")


def test_holm_agrees_with_a_worked_example() -> None:
    # Four p-values, smallest times four and so on, never falling.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert np.isnan(holm([NAN, 0.5])[0])


def test_holm_never_leaves_its_range_and_counts_no_unknown() -> None:
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([0.01, NAN])[0] == pytest.approx(0.01), "a family of one"


def _step_by_step(p_values: tuple[list[float], list[float]], level: float) -> list[list[bool]]:
    """The procedure as its definition tells it: one test after the other, by the graph."""
    weights = [
        [share / len(p)] * len(p) for share, p in zip((SHARE, 1 - SHARE), p_values, strict=True)
    ]
    rejected = [[False] * len(p) for p in p_values]
    tests = [(f, i) for f in (0, 1) for i in range(len(p_values[f]))]
    while found := [
        (f, i) for f, i in tests if not rejected[f][i] and p_values[f][i] < weights[f][i] * level
    ]:
        f, i = found[0]
        rejected[f][i] = True
        left = [[j for j, gone in enumerate(family) if not gone] for family in rejected]
        to = f if left[f] else 1 - f
        for j in left[to]:
            weights[to][j] += weights[f][i] / len(left[to])
        weights[f][i] = 0
    return rejected


@pytest.mark.parametrize("seed", range(4))
def test_adjusted_p_values_decide_as_the_graph_does(seed: int) -> None:
    random = np.random.default_rng(seed)
    for _ in range(200):
        families = tuple(list(random.beta(0.15, 2, random.integers(1, 5))) for _ in range(2))
        adjusted = adjust(*families)
        for level in (0.01, 0.05, 0.2):
            said = [[p < level for p in family] for family in adjusted]
            assert said == _step_by_step((families[0], families[1]), level)


def test_few_questions_are_not_buried_by_many() -> None:
    (primary, *_), _ = adjust([0.005, 0.5, 0.5, 0.5, 0.5, 0.5], [0.5] * 51)
    assert primary == pytest.approx(0.005 * 6 / SHARE)
    assert primary < 0.05 < holm([0.005] + [0.5] * 56)[0]


def test_a_family_that_is_decided_hands_its_share_on() -> None:
    assert adjust([0.001], [0.03])[1] == [pytest.approx(0.03)]
    assert adjust([0.5], [0.03])[1] == [pytest.approx(0.15)]
    assert adjust([0.045], [0.001])[0] == [pytest.approx(0.045)]
    assert adjust([0.045], [0.5])[0] == [pytest.approx(0.045 / SHARE)]


def test_what_is_unknown_is_no_test() -> None:
    assert adjust([], [0.01, 0.02]) == ([], holm([0.01, 0.02])), "the whole level"
    assert adjust([NAN, 0.01], [NAN])[0][1] == pytest.approx(0.01)
    assert np.isnan(adjust([NAN, 0.01], [NAN])[0][0])


@pytest.mark.parametrize(("changed", "alike"), list(product((0, 3), (0, 2))))
def test_any_false_difference_is_as_rare_as_promised(changed: int, alike: int) -> None:
    """Whatever else is true: some primary and secondary changes or none, all dependent."""
    random = np.random.default_rng(changed + alike)
    false = 0
    for _ in range(2000):
        shared = random.random()
        p = [1 - shared if i % 2 else shared for i in range(6)]
        primary = [1e-9] * changed + p[: 2 + alike]
        secondary = [1e-9] * changed + p
        adjusted = adjust(primary, secondary)
        false += any(x < 0.05 for family in adjusted for x in family[changed:])
    assert false / 2000 <= 0.065


def test_strictness_is_the_first_step_of_either_family() -> None:
    for primary, secondary in ((6, 51), (1, 1), (20, 3)):
        strict = strictness(primary, secondary)
        adjusted = adjust([1e-4] + [1.0] * (primary - 1), [1e-4] + [1.0] * (secondary - 1))
        if primary > 1 and secondary > 1:
            assert [p[0] / 1e-4 for p in adjusted] == pytest.approx(strict)
    assert strictness(6, 0) == (6, 0)
    assert strictness(0, 5) == (0, 5)
