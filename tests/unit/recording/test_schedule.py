"""The order of runs."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from z3trace.data import ways
from z3trace.data.ways import Way
from z3trace.recording.schedule import Step, boots, schedule

PAGE, POOL = ways.of_class("page"), ways.of_class("pool")
EVERY = (
    *(ways.NONE, ways.CLOCKED, ways.TIMED, ways.OPS, ways.ALL, PAGE, POOL, ways.OWN_LOCK),
    ways.of_class("page", "timed"),
)
COUNTS = st.dictionaries(st.sampled_from(EVERY), st.integers(0, 30), min_size=1)


def _counted(steps: list[Step]) -> list[Step]:
    return [step for step in steps if not step.warm_up]


@given(st.integers(1, 3), COUNTS)
def test_each_side_has_each_way_as_often_as_asked(sides: int, counts: dict[Way, int]) -> None:
    steps = _counted(schedule(sides, counts))
    for side in range(sides):
        for way, count in counts.items():
            numbers = [s.number for s in steps if (s.side, s.way) == (side, way)]
            # Each once, and in order of time.
            assert numbers == list(range(count))
    assert len(steps) == sides * sum(counts.values())


@given(st.integers(2, 3), COUNTS)
def test_the_sides_stand_beside_each_other(sides: int, counts: dict[Way, int]) -> None:
    steps = schedule(sides, counts)
    for start in range(0, len(steps), sides):
        turn = steps[start : start + sides]
        assert sorted(step.side for step in turn) == list(range(sides))
        assert len({(step.way, step.number, step.warm_up) for step in turn}) == 1


@given(COUNTS)
def test_no_side_is_always_first(counts: dict[Way, int]) -> None:
    firsts = _counted(schedule(2, counts))[::2]
    for way in counts:
        first = [step.side for step in firsts if step.way == way]
        assert all(a != b for a, b in pairwise(first))


@given(COUNTS)
def test_each_way_is_spread_over_the_session(counts: dict[Way, int]) -> None:
    """Between two runs of a way no other way makes more than its share of runs."""
    order = [step.way for step in _counted(schedule(1, counts))]
    for way, count in counts.items():
        places = [place for place, other in enumerate(order) if other == way]
        for other, runs in counts.items():
            for start, end in pairwise(places):
                between = order[start + 1 : end].count(other)
                assert other == way or between <= -(-runs // count) + 1


def test_drift_falls_on_sides_and_ways_alike() -> None:
    """A machine that becomes slower and slower does so for everybody."""
    counts = {ways.NONE: 40, ways.CLOCKED: 40, ways.TIMED: 40, ways.OPS: 4, ways.ALL: 4}
    steps = _counted(schedule(2, counts))
    times: dict[tuple[int, Way], list[int]] = {}
    for time, step in enumerate(steps):
        times.setdefault((step.side, step.way), []).append(time)
    means = [sum(when) / len(when) for when in times.values()]
    assert max(means) - min(means) < 0.02 * len(steps)


def test_runs_of_one_way_do_not_always_follow_the_same_other_one() -> None:
    steps = _counted(schedule(1, {ways.NONE: 40, ways.CLOCKED: 40, ways.TIMED: 40}))
    before = Counter((a.way, b.way) for a, b in pairwise(steps))
    follows = [before[other, ways.NONE] for other in (ways.CLOCKED, ways.TIMED, ways.NONE)]
    assert max(follows) <= 20


@pytest.mark.parametrize(
    ("asked", "warming"),
    [
        ([ways.NONE], [ways.NONE]),
        # What is timed by the workload runs the same build.
        ([ways.NONE, ways.CLOCKED, ways.TIMED], [ways.NONE, ways.TIMED]),
        # One with probes for all, the one with the most, and first: it tells what is covered.
        ([ways.CLOCKED, ways.OPS, PAGE, ways.ALL], [ways.ALL, ways.CLOCKED]),
        ([ways.OPS, PAGE], [ways.OPS]),
        (EVERY, [ways.ALL, ways.NONE, ways.TIMED]),
    ],
)
def test_a_run_of_each_build_warms_up_and_one_with_probes(
    asked: list[Way], warming: list[Way]
) -> None:
    steps = schedule(2, dict.fromkeys(asked, 3))
    warm = [step for step in steps if step.warm_up]
    assert steps[: len(warm)] == warm
    assert [(step.way, step.side) for step in warm] == [(w, s) for w in warming for s in (0, 1)]
    # They have seeds of their own.
    assert {step.number for step in warm} == {3}
    assert not [
        step for step in schedule(2, dict.fromkeys(asked, 3), warm_up=False) if step.warm_up
    ]


def test_boots_change_places_from_block_to_block() -> None:
    assert boots(3) == [(0, 0), (1, 0), (1, 1), (0, 1), (0, 2), (1, 2)]


@given(st.integers(1, 100))
def test_each_side_is_booted_as_often_and_in_order(count: int) -> None:
    for side in (0, 1):
        assert [number for of, number in boots(count) if of == side] == list(range(count))


@given(st.integers(1, 50).map(lambda half: 2 * half))
def test_a_steady_drift_falls_on_both_sides_alike(count: int) -> None:
    places = [[at for at, (of, _) in enumerate(boots(count)) if of == side] for side in (0, 1)]
    assert sum(places[0]) == sum(places[1])
