"""The order of runs, and of the probes in them."""

import pytest

from z3trace.recording import schedule


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
