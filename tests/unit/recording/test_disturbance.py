"""Which runs are made again: by what the host took, and never by what came out."""

import samples
from msgspec import structs

from z3trace.data.model import HostTime, Run
from z3trace.recording import disturbance
from z3trace.recording.disturbance import Disturbances, share

SECOND = 1_000_000_000


def _run(taken: float | None, **changes: object) -> Run:
    """A run of a second on two CPUs of which the host took the share *taken*."""
    host = None if taken is None else HostTime(delay=round(taken * 2 * SECOND))
    made = samples.run(0, probed=False, scale=1, seed=1)
    return structs.replace(made, duration=SECOND, host=host, **changes)


def _judged(disturbances: Disturbances, taken: float, **changes: object) -> str:
    return disturbances.judged(_run(taken, **changes)).unused


def test_the_share_is_of_the_time_of_all_cpus() -> None:
    assert share(_run(0.25), 2) == 0.25
    assert share(_run(None), 2) == 0
    # Steal and delay may be the same time, seen from both sides.
    both = HostTime(steal=SECOND, delay=SECOND // 2)
    assert share(structs.replace(_run(0), host=both), 2) == 0.5


def test_a_pause_of_the_machine_is_taken_too() -> None:
    paused = structs.replace(_run(0), host=HostTime(steal=0, delay=0, paused=SECOND))
    assert share(paused, 2) == 0.5
    assert Disturbances(100, cpus=2).judged(paused).unused == "disturbed"
    # What is within the clocks' own precision is none.
    short = HostTime(steal=0, delay=0, paused=2 * disturbance.LEAST_PAUSE)
    assert share(structs.replace(_run(0), host=short), 2) == 0


def test_a_run_is_made_again_if_the_host_took_more_than_the_limit() -> None:
    disturbances = Disturbances(100, cpus=2)
    assert _judged(disturbances, disturbance.LIMIT) == ""
    assert _judged(disturbances, disturbance.LIMIT * 1.01) == "disturbed"
    assert disturbances.again == 1


def test_the_result_does_not_matter() -> None:
    slow = structs.replace(_run(0.0).result, elapsed=1000 * SECOND, status=1)
    assert _judged(Disturbances(100, cpus=2), 0.0, result=slow) == ""
    assert _judged(Disturbances(100, cpus=2), 0.9, result=slow) == "disturbed"


def test_runs_that_do_not_count_are_not_made_again() -> None:
    disturbances = Disturbances(100, cpus=2)
    assert _judged(disturbances, 0.9, unused="warm-up") == "warm-up"
    assert _judged(disturbances, 0.9, interrupted=True) == ""
    assert disturbances.told() == ""


def test_one_run_is_not_made_again_for_ever() -> None:
    disturbances = Disturbances(1000, cpus=2)
    judged = [_judged(disturbances, 0.9) for _ in range(disturbance.MOST_IN_A_ROW + 2)]
    assert judged == ["disturbed"] * disturbance.MOST_IN_A_ROW + ["", "disturbed"]


def test_a_session_makes_so_many_again_and_no_more() -> None:
    disturbances = Disturbances(50, cpus=2)
    judged = [_judged(disturbances, 0.9) for _ in range(200)]
    assert judged.count("disturbed") == disturbance.MOST * 50
    assert set(judged[-100:]) == {""}
    assert disturbances.kept == 190


def test_a_command_that_is_to_run_once_runs_once() -> None:
    for planned in (1, 2):
        disturbances = Disturbances(planned, cpus=2)
        assert [_judged(disturbances, 0.9) for _ in range(planned)] == [""] * planned
        assert disturbances.kept == planned


def test_what_was_done_is_told_with_its_number() -> None:
    disturbances = Disturbances(5, cpus=2)
    assert disturbances.told() == ""
    for taken in (0.9, 0.0, 0.9, 0.9):
        _judged(disturbances, taken)
    assert disturbances.told() == (
        "the host took more than 5% of the time of a run in 3 runs: 1 was made again, "
        "2 count all the same"
    )
    alone = Disturbances(1, cpus=2)
    _judged(alone, 0.9)
    assert alone.told().endswith("in 1 run: 0 were made again, 1 counts all the same")
