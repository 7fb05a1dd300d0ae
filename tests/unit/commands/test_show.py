"""``show`` says what is wrong with a recording before anything else."""

from pathlib import Path

import pytest
from msgspec import structs
from samples import recording, seen, series, write

from z3trace import cli
from z3trace.data.model import Recording, Run, WorkloadResult


def _shown(made: Recording, path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    path.mkdir(exist_ok=True)
    assert cli.run(["show", str(write(path / "x.z3t", made))]) == 0
    return capsys.readouterr().out


def _changed(made: Recording, **changes: object) -> Recording:
    return structs.replace(made, runs=[structs.replace(run, **changes) for run in made.runs])


@pytest.mark.parametrize(("failed", "of"), [(1, 1), (1, 4), (4, 4)])
def test_that_the_workload_failed(
    failed: int, of: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = recording(runs=of)
    runs = made.runs[:of]
    words = "\n".join(f"line {i}" for i in range(9)) + "\n\x1b[2J no memory\n"
    result = structs.replace(made.runs[0].result, status=2, output=words)
    bad = [structs.replace(run, result=result) for run in runs[:failed]]
    out = _shown(structs.replace(made, runs=[*bad, *runs[failed:]]), tmp_path, capsys)
    assert f"THE WORKLOAD FAILED in {failed} of {of} run{'s' * (of > 1)}" in out
    assert "NOTHING WAS RECORDED" not in out, "its figures are shown"
    said = [line for line in out.splitlines() if line.startswith("  it said: ")]
    assert said == [
        *(f"  it said: line {i}" for i in range(5, 9)),
        "  it said: \\x1b[2J no memory",
    ]


NOTHING: dict[str, dict[str, object]] = {
    "the target's functions were not called": {
        name: [] for name in ("series", "operations", "locks", "sites")
    },
    "no run had probes": {
        "probed": False,
        "series": [],
        "result": WorkloadResult(elapsed=10**9),
    },
}


@pytest.mark.parametrize("why", NOTHING)
def test_that_nothing_was_recorded(
    why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = _shown(_changed(recording(runs=2), **NOTHING[why]), tmp_path, capsys)
    assert f"NOTHING WAS RECORDED of operations and locks: {why}" in out


def test_that_there_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = _shown(structs.replace(recording(), runs=[]), tmp_path, capsys)
    assert "NOTHING WAS RECORDED: there is no whole run" in out


def test_that_a_hold_of_no_time_is_one_probe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def instants(run: Run) -> Run:
        others = [one for one in run.series if one.metric != "hold"]
        hold = series("hold", "page", [0, 0, 0, 900])
        return structs.replace(run, series=[*others, hold]) if run.probed else run

    made = recording(runs=2)
    out = _shown(structs.replace(made, runs=list(map(instants, made.runs))), tmp_path, capsys)
    said = "a hold of 0 ns is one probe that saw both the acquisition and the release"
    assert f"{said}: page 75% of the holds" in out
    assert said not in _shown(recording(runs=2), tmp_path / "other", capsys)
    # What a timed build has measured may be less than a tick of its clock.
    assert said not in _shown(seen(runs=2), tmp_path / "timed", capsys)


@pytest.mark.parametrize("count", [1, 2])
def test_one_is_not_many(count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = recording(runs=2)
    site = made.session.sites[0]
    sites = [structs.replace(site, number=i, attached=False, reason="why") for i in range(count)]
    made = structs.replace(made, session=structs.replace(made.session, sites=sites))
    told = {1: "1 of 1 lock call site is not seen", 2: "2 of 2 lock call sites are not seen"}
    assert told[count] in _shown(made, tmp_path, capsys)
