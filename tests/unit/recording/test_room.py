"""A session that no recording has room for is refused before its first run."""

import pytest

from z3trace.data import limits, ways
from z3trace.data.ways import Way
from z3trace.errors import UsageError
from z3trace.recording import repetitions, room
from z3trace.recording.disturbance import MOST


def test_what_fits_with_the_runs_made_again_is_taken_and_no_more() -> None:
    most = int(limits.RUNS / (1 + MOST))
    room.require_room({ways.NONE: most}, 5, 5)
    with pytest.raises(UsageError, match=f"at most {limits.RUNS} runs, and this would make"):
        room.require_room({ways.NONE: most // 2, ways.CLOCKED: most // 2 + 2}, 5, 5)


def test_histograms_have_an_end_too() -> None:
    with pytest.raises(UsageError, match="at most 480000 histograms"):
        room.require_room({ways.ALL: 10_000}, 8, 9)
    room.require_room({ways.ALL: 7_000}, 8, 9)


@pytest.mark.parametrize(
    ("way", "series"),
    [
        (ways.NONE, 0),
        (ways.CLOCKED, 0),
        (ways.TIMED, 10),
        (ways.OPS, 6),
        (ways.ALL, 26),
        (Way(probe="locks"), 20),
        (ways.of_class("page"), 4),
        (ways.of_class("page", "timed"), 14),
        (ways.OWN_LOCK, 4),
    ],
)
def test_histograms_of_a_run_of_each_way(way: Way, series: int) -> None:
    assert room.series_of(way, 3, 5) == series


def test_the_most_runs_of_one_kind_that_can_be_asked_for_fit() -> None:
    """--runs 10000 with the default probes of a target without lock classes."""
    asked = repetitions.Asked(runs=10_000, clocks=True)
    room.require_room(repetitions.of_one(asked), 5, 1)
