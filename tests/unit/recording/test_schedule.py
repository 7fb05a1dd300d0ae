"""The order of runs, and of the probes in them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from z3trace.recording import schedule

KINDS = st.lists(st.sampled_from(["all", "ops", "locks"]), min_size=1, max_size=3, unique=True)


def test_sides_take_turns_and_start_evenly() -> None:
    steps = schedule.schedule(2, 4, 8)
    probed = [step.side for step in steps if step.probed]
    assert probed == [0, 1, 1, 0, 0, 1, 1, 0]
    unprobed = [step.side for step in steps if not step.probed]
    assert len(unprobed) == 16
    assert sum(unprobed) == 8
    assert steps[0].probed


@pytest.mark.parametrize(("runs", "unprobed"), [(1, 0), (10, 10), (3, 7), (5, 2)])
def test_every_run_is_scheduled_once(runs: int, unprobed: int) -> None:
    steps = schedule.schedule(2, runs, unprobed)
    for side in (0, 1):
        for probed, count in ((True, runs), (False, unprobed)):
            numbers = [s.number for s in steps if s.side == side and s.probed == probed]
            assert sorted(numbers) == list(range(count))


def test_kinds_of_probes_take_turns_too() -> None:
    steps = schedule.schedule(1, 4, 4, ("all", "ops"))
    assert [s.probe for s in steps if s.probed] == ["all", "ops", "ops", "all"] * 2
    assert sum(not s.probed for s in steps) == 4


@given(st.integers(1, 3), st.integers(1, 12), st.integers(0, 30), KINDS)
def test_each_side_has_each_kind_of_run_as_often_as_asked(
    sides: int, runs: int, unprobed: int, kinds: list[str]
) -> None:
    steps = schedule.schedule(sides, runs, unprobed, kinds)
    for side in range(sides):
        for kind, count in [(kind, runs) for kind in kinds] + [("", unprobed)]:
            numbers = [s.number for s in steps if (s.side, s.probe) == (side, kind)]
            # Each once, and in order of time.
            assert numbers == list(range(count))
    assert len(steps) == sides * (runs * len(kinds) + unprobed)
    assert steps[0].probed


@given(st.integers(2, 3), st.integers(1, 12), KINDS)
def test_neighbours_of_one_kind_are_never_twice_of_a_side_in_a_round(
    sides: int, runs: int, kinds: list[str]
) -> None:
    steps = schedule.schedule(sides, runs, 0, kinds)
    for start in range(0, len(steps), sides):
        turn = steps[start : start + sides]
        assert sorted(step.side for step in turn) == list(range(sides))
        assert len({(step.probe, step.number) for step in turn}) == 1


@given(st.integers(1, 12))
def test_no_side_is_always_first(rounds: int) -> None:
    runs = 2 * rounds
    first = [s.side for s in schedule.schedule(2, runs, 0)][::2]
    assert first.count(0) == first.count(1) == rounds
    assert all(a != b for a, b in pairwise(first))


@given(st.integers(1, 10), st.integers(1, 30))
def test_unprobed_runs_lie_between_the_probed_ones(runs: int, unprobed: int) -> None:
    steps = schedule.schedule(1, runs, unprobed)
    gaps, gap = [], 0
    for step in steps[1:]:
        if step.probed:
            gaps.append(gap)
            gap = 0
        else:
            gap += 1
    gaps.append(gap)
    assert max(gaps) - min(gaps) <= 1
