"""Change points of an archive."""

import numpy as np
import pytest
from samples import recording, seen

from z3trace.analysis.comparing import trend
from z3trace.analysis.figures.recording import Digest
from z3trace.errors import IncomparableError


def test_a_step_is_a_change_point_where_it_is() -> None:
    random = np.random.default_rng(2)
    values = np.log(np.concatenate([np.full(9, 100.0), np.full(11, 130.0)]))
    (change,) = trend.change_points(values + random.normal(0, 0.01, 20), 1)
    assert change.at == 9
    assert change.ratio == pytest.approx(1.3, abs=0.03)
    assert change.p_adjusted < 0.01


def test_both_halves_are_looked_at_in_turn() -> None:
    random = np.random.default_rng(3)
    steps = np.repeat([0.0, 0.5, -0.5], 12)
    changes = trend.change_points(steps + random.normal(0, 0.02, steps.size), 1)
    assert [change.at for change in changes] == [12, 24]


def test_steady_or_few_sessions_have_none() -> None:
    random = np.random.default_rng(1)
    steady = [trend.change_points(random.normal(0, 0.05, 20), 1) for _ in range(100)]
    assert sum(map(bool, steady)) <= 10
    assert trend.change_points(np.array([0.0] * 3 + [1.0] * 4), 1) == []
    assert trend.change_points(np.ones(20), 1) == []


def test_what_one_session_lacks_is_a_gap() -> None:
    digests = [Digest.of(recording(name)) for name in ("a", "b", "c")]
    digests[1] = Digest("b.z3t", digests[1].session)
    (line,) = (
        line
        for line in trend.trends(digests, allow_mismatch=True)
        if (line.key.metric, line.key.statistic) == ("latency", "p50")
    )
    assert np.isnan(line.centres).tolist() == [False, True, False]
    assert line.centres[0] == pytest.approx(1000, rel=0.1)


def test_sessions_that_differ_in_what_matters_are_refused() -> None:
    digests = [Digest.of(recording("a")), Digest.of(recording("b", workload="another"))]
    with pytest.raises(IncomparableError, match="workload"):
        trend.trends(digests)
    assert trend.trends(digests, allow_mismatch=True)


def test_a_trend_is_seen_in_one_way_by_all_sessions() -> None:
    digests = [Digest.of(seen("a")), Digest.of(seen("b", ways=("none", "lock:page", "own-lock")))]
    lines = {
        (line.key.metric, line.key.statistic): line
        for line in trend.trends(digests, allow_mismatch=True)
    }
    hold = lines["hold", "mean"]
    assert hold.way == "lock:page"
    # Without what the probes of the class add, in both: some 450 ns, not 750.
    assert hold.centres == pytest.approx([450, 450], rel=0.05)
    assert 0.3 < hold.share < 0.5


def test_no_change_is_looked_for_in_what_is_mostly_the_instrument_s() -> None:
    digests = [
        Digest.of(seen(f"{i}", runs=2, ways=("none", "all"), lock_scale=1 + i // 6, seed=i))
        for i in range(12)
    ]
    lines = {
        (line.key.metric, line.key.statistic): line
        for line in trend.trends(digests, allow_mismatch=True)
    }
    assert lines["hold", "mean"].centres[-1] > 1.7 * lines["hold", "mean"].centres[0]
    assert lines["hold", "mean"].share > 0.9
    assert lines["hold", "mean"].changes == []
