"""Whether a recording has room for a session: looked at before its first run."""

from collections.abc import Mapping

from z3trace.data import limits
from z3trace.data.ways import Way
from z3trace.errors import UsageError
from z3trace.recording.disturbance import MOST


def series_of(way: Way, operations: int, classes: int) -> int:
    """Histograms of a run of a way, at most: each of an operation and each of a lock class
    with a corrected one beside it."""
    probe, timed = way.probe.partition(":")[0], 2 * classes if way.build else 0
    latencies = 2 * operations if probe in ("ops", "all") else 0
    locks = 4 * classes if probe in ("locks", "all") else 4 if probe else 0
    return timed + latencies + (0 if probe == "ops" else locks)


def require_room(counts: Mapping[Way, int], operations: int, classes: int) -> None:
    """UsageError if so many runs of each way are more than a recording can hold, with those
    that are made again."""
    runs = sum(counts.values())
    series = sum(n * series_of(way, operations, classes) for way, n in counts.items())
    for number, most, what in (
        (runs, limits.RUNS, "runs"),
        (series, limits.ALL_SERIES, "histograms"),
    ):
        if number * (1 + MOST) > most:
            raise UsageError(
                f"a recording has at most {most} {what}, and this would make {number}, or "
                f"{number * (1 + MOST):.0f} with runs that are made again",
                "give smaller --runs or --unprobed, or name probes with --probe",
            )
