"""Change points of an archive."""

import numpy as np
import pytest
from samples import recording, seen

from z3trace.analysis.comparing import trend
from z3trace.analysis.figures.recording import Digest
from z3trace.errors import IncomparableError


def changes(*rows: object) -> list[list[trend.ChangePoint]]:
    return trend.change_points(np.array(rows, dtype=float))


def test_a_step_is_a_change_point_where_it_is() -> None:
    random = np.random.default_rng(2)
    values = np.log(np.concatenate([np.full(9, 100.0), np.full(11, 130.0)]))
    ((change,),) = changes(values + random.normal(0, 0.01, 20))
    assert change.at == 9
    assert np.exp(change.ratio) == pytest.approx(1.3, abs=0.03)
    assert change.p_adjusted < 0.01


def test_both_halves_are_looked_at_in_turn() -> None:
    random = np.random.default_rng(3)
    steps = np.repeat([0.0, 0.5, -0.5], 12)
    (found,) = changes(steps + random.normal(0, 0.02, steps.size))
    assert [change.at for change in found] == [12, 24]


@pytest.mark.parametrize("sessions", [8, 12, 16, 30])
@pytest.mark.parametrize("kind", ["normal", "heavy-tailed", "spikes", "mostly nothing"])
def test_steady_archives_of_many_metrics_have_no_step(
    sessions: int, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Among forty metrics of a steady archive, at most one archive in twenty has a change
    point; half of the noise is of the session, and shared by all its metrics."""
    monkeypatch.setattr(trend, "_EXCHANGES", 600)
    random = np.random.default_rng(1)
    false = 0
    for _ in range(40):
        rows = random.normal(0, 0.03, (40, sessions)) + random.normal(0, 0.03, sessions)
        if kind == "heavy-tailed":
            rows = rows + 0.03 * random.standard_t(2, rows.shape)
        elif kind == "spikes":
            rows = rows + (random.random(rows.shape) < 1 / sessions)
        elif kind == "mostly nothing":
            rows = np.abs(rows) * (random.random(rows.shape) < 0.2)
        false += any(changes(*rows))
    assert false <= 6, "2 are expected; more than 6 would be so in 1 of 200"


@pytest.mark.parametrize(("sessions", "at"), [(12, 6), (12, 8), (12, 4), (10, 5), (16, 4)])
def test_a_clear_step_is_found_among_many_metrics(
    sessions: int, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in a dozen sessions, and where other metrics have spikes and modes."""
    monkeypatch.setattr(trend, "_EXCHANGES", 1000)
    random = np.random.default_rng(4)
    found = 0
    for _ in range(20):
        rows = random.normal(0, 0.03, (40, sessions)) + random.normal(0, 0.02, sessions)
        rows[10] += 2.0 * (np.arange(sessions) == random.integers(sessions))
        rows[7, at:] += np.log(1.5)
        each = changes(*rows)
        found += [change.at for change in each[7]] == [at]
    assert found >= 17


def test_few_or_equal_sessions_have_none() -> None:
    assert changes(np.array([0.0] * 3 + [1.0] * 4)) == [[]]
    assert changes(np.ones(20), np.zeros(20)) == [[], []]
    one_far_off = np.zeros(12)
    one_far_off[-1] = 9
    assert changes(one_far_off) == [[]]


@pytest.mark.parametrize("zeros", [[0], [11], [0, 5, 11], list(range(6)), list(range(6, 12))])
def test_a_session_in_which_nothing_was_measured_is_not_left_out(zeros: list[int]) -> None:
    """A figure may be 0 in some sessions, before a change, after it, or in all but one."""
    values = np.where(np.isin(np.arange(12), zeros), 0.0, 100.0 + np.arange(12) % 3)
    assert trend._centre(np.array([0.0, 4.0])) == 2.0
    assert np.isfinite(trend._scaled(values)).all()
    found = trend._ratios(trend.change_points(trend._scaled(values)[None])[0], values)
    if zeros == list(range(6)):
        assert [(change.at, change.ratio) for change in found] == [(6, np.inf)]
    elif zeros == list(range(6, 12)):
        assert [(change.at, change.ratio) for change in found] == [(6, 0.0)]
    else:
        assert found == []


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
