"""The change that is said to be seen is found so often, whatever the noise is like."""

import numpy as np
import pytest
from calibrate import simulated

from z3trace.analysis.statistics import interval, power
from z3trace.analysis.statistics.ranks import Floats


def _noise(name: str, count: int, runs: int) -> Floats:
    """Logs of *count* figures of equal sides, shape (count, 2, runs)."""
    kind = simulated.KINDS[name]
    random = np.random.default_rng(21)
    return (
        simulated.runs(kind, random, count, runs) + kind.draw(random, (count, 2, runs))
    ) / np.sqrt(2)


@pytest.mark.parametrize(("runs", "level"), [(10, 0.0027), (20, 0.0027), (20, 0.00024)])
@pytest.mark.parametrize("name", simulated.KINDS)
def test_the_change_that_is_told_is_found(name: str, runs: int, level: float) -> None:
    """By the usual interval alone, heavy tails had 0.65, two modes 0.19."""
    told = [
        power.found_from(before, after, level, 0.8, within=False)
        for before, after in _noise(name, 150, runs)
    ]
    fresh = _noise(name, 3000, runs)
    ends = interval.lower_ends(fresh[:, 0], fresh[:, 1], level, within=False)
    assert ends is not None
    assert 0.77 <= float(np.mean(-ends < np.median(told))) <= 0.95


def test_pairs_are_seen_by_their_changes() -> None:
    """What both sides share does not count."""
    random = np.random.default_rng(3)
    shared = random.normal(0, 1, 20)
    before, after = (shared + random.normal(0, 0.01, 20) for _ in range(2))
    within = power.found_from(before, after, 0.005, 0.8, within=True)
    across = power.found_from(before, after, 0.005, 0.8, within=False)
    assert 0.005 < within < 0.05
    assert across > 0.5


def test_it_is_the_same_each_time_and_grows_with_what_is_asked() -> None:
    before, after = _noise("heavy_tailed", 1, 12)[0]

    def found(level: float = 0.01, part: float = 0.8, scale: float = 1.0) -> float:
        return power.found_from(before * scale, after * scale, level, part, within=False)

    assert found() == found()
    assert found(level=0.001) > found()
    assert found(part=0.9) > found() > found(part=0.5)
    assert found(scale=3.0) == pytest.approx(3 * found())
    assert found(level=1e-9) == np.inf, "twelve runs a side have no p as small"
