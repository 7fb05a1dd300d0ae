"""``trend`` over archives as users have them: zeros, broken files, few sessions."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from samples import recording, seen, series, write

from z3trace import cli
from z3trace.data.model import Recording, Run
from z3trace.errors import DONE, FAILED, INCOMPARABLE, WRONG_USAGE

Trend = Callable[..., tuple[int, str, str]]


@pytest.fixture
def trend(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Trend:
    """(status, output, what was said) over an archive of these recordings."""

    def run(made: list[Recording], *words: str) -> tuple[int, str, str]:
        for day, one in enumerate(made, 1):
            session = structs.replace(one.session, created=f"2026-01-{day:02d}T00:00:00+00:00")
            write(tmp_path / f"{day:02d}.z3t", structs.replace(one, session=session))
        status = cli.run(["trend", str(tmp_path), *words])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def _archive(sessions: int, change: Callable[[int, Run], Run], runs: int = 3) -> list[Recording]:
    made = []
    for number in range(sessions):
        one = recording(f"c{number + 1}", runs=runs, seed=number + 1)
        made.append(structs.replace(one, runs=[change(number, run) for run in one.runs]))
    return made


def _waits(run: Run, values: list[int]) -> Run:
    """The run with other waits for the page lock."""
    others = [one for one in run.series if one.metric != "wait"]
    return (
        structs.replace(run, series=[*others, series("wait", "page", values)])
        if run.probed
        else run
    )


def _of(out: str, metric: str, statistic: str = "mean") -> dict[str, Any]:
    return next(
        each
        for each in json.loads(out)["trends"]
        if (each["metric"], each["statistic"]) == (metric, statistic)
    )


@pytest.mark.parametrize("runs", [1, 3])
def test_a_step_in_twelve_sessions_is_found(trend: Trend, runs: int) -> None:
    made = [
        recording(f"c{i + 1}", runs=runs, seed=i + 1, scale=1.3 if i >= 6 else 1.0)
        for i in range(12)
    ]
    status, out, _ = trend(made)
    assert status == DONE
    line = next(line for line in out.splitlines() if line.startswith("latency alloc mean"))
    assert "from c7 on" in line
    assert line.count(" on (p=") == 1


#: Waits of a session by its number, of which some are all 0.
ZEROS: dict[str, Callable[[int], list[int]]] = {
    "all zero": lambda _: [0] * 100,
    "one session": lambda number: [0 if number == 3 else 500 + number] * 100,
    "every second": lambda number: [500 * (number % 2)] * 100,
    "until a change": lambda number: [0 if number < 6 else 500 + number] * 100,
    "after a change": lambda number: [500 + number if number < 6 else 0] * 100,
    "the first": lambda number: [500 if number else 0] * 100,
    "the last": lambda number: [0 if number == 11 else 500] * 100,
    "in some runs": lambda number: [0] * 99 + [number],
}


@pytest.mark.parametrize("kind", ZEROS)
def test_sessions_in_which_a_figure_is_zero_stay_in(
    kind: str, trend: Trend, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = _archive(12, lambda number, run: _waits(run, ZEROS[kind](number)))
    status, out, said = trend(made, "--json", "--allow-mismatch")
    assert status == DONE, said
    wait = _of(out, "wait")
    assert None not in wait["centres"]
    changes = [change["at"] for change in wait["change_points"]]
    # Seen with probes on all locks, whose own time is more than half of such a wait.
    assert changes in ([], [6])
    plot = tmp_path / "t.png"
    assert cli.run(["trend", str(tmp_path), "--allow-mismatch", "--plot", str(plot)]) == DONE
    shown = capsys.readouterr().out
    assert next(line for line in shown.splitlines() if line.startswith("wait page mean"))
    assert plot.stat().st_size > 1000


def test_a_figure_that_comes_from_nothing_is_a_change_point(trend: Trend) -> None:
    """By a timed build, which adds nothing to a wait that is none."""

    def waits(number: int, run: Run) -> Run:
        if run.timed is None:
            return run
        values = [0] * 1000 if number < 6 else [0] * 900 + [5000 + number] * 100
        others = [one for one in run.timed.series if one.metric != "wait"]
        timed = structs.replace(run.timed, series=[*others, series("wait", "page", values)])
        return structs.replace(run, timed=timed)

    made = []
    for number in range(12):
        one = seen(f"c{number + 1}", runs=2, seed=number, ways=("none", "timed"))
        made.append(structs.replace(one, runs=[waits(number, run) for run in one.runs]))
    _, out, _ = trend(made, "--json")
    (change,) = _of(out, "wait")["change_points"]
    assert change["at"] == 6
    assert change["ratio"] is None
    _, out, _ = trend(made)
    line = next(line for line in out.splitlines() if line.startswith("wait page mean"))
    assert "from 0" in line
    assert "not 0 from c7 on" in line


@pytest.mark.parametrize(
    "broken",
    [b"", b"x", b"\xff\xfe", b'{"type":"session"}\n', gzip.compress(b"x", mtime=0), b"\0" * 100],
    ids=["empty", "text", "no text", "cut", "packed", "zeros"],
)
def test_a_broken_file_is_named_and_the_rest_goes_on(
    broken: bytes, trend: Trend, tmp_path: Path
) -> None:
    (tmp_path / "00-broken.z3t").write_bytes(broken)
    status, out, said = trend([recording(f"c{i}", runs=2, seed=i) for i in range(3)])
    assert status == FAILED
    assert out.startswith("3 sessions, c0 to c2")
    assert said.startswith("left out: ")
    assert "00-broken.z3t" in said


def test_one_that_can_be_read_is_no_archive(trend: Trend, tmp_path: Path) -> None:
    (tmp_path / "x.z3t").write_bytes(b"x")
    status, _, said = trend([recording(runs=1)])
    assert status == WRONG_USAGE
    assert "has 1 recording that can be read of 2 files" in said


def test_sessions_of_one_label_are_told_apart(trend: Trend) -> None:
    _, out, _ = trend([recording("x", runs=2, seed=i) for i in range(3)])
    assert out.startswith("3 sessions, x (01.z3t) to x (03.z3t)")


def test_a_session_whose_runs_all_failed_is_a_gap(trend: Trend) -> None:
    def change(number: int, run: Run) -> Run:
        return structs.replace(run, result=structs.replace(run.result, status=int(number == 1)))

    made = _archive(3, change)
    _, out, _ = trend(made, "--json")
    assert [value is None for value in _of(out, "latency")["centres"]] == [False, True, False]
    _, out, _ = trend(made, "--json", "--allow-failed")
    assert None not in _of(out, "latency")["centres"]


def test_what_differs_in_what_matters_is_refused(trend: Trend) -> None:
    made = [recording("a", runs=2), recording("b", runs=2, workload="another")]
    assert trend(made)[0] == INCOMPARABLE
