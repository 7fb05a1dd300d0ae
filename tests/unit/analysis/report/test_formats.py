"""Reports by the command line: a row of the table each."""

import json
from pathlib import Path

import pytest
from commandline import z3trace
from samples import recording, write

from z3trace.analysis.comparing.comparison import compare
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.report import formats
from z3trace.errors import UsageError


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = []
    for label, scale in (("before", 1.0), ("after", 0.7), ("slow", 1.3)):
        paths.append(tmp_path / f"{label}.z3t")
        write(paths[-1], recording(label, scale=scale, seed=len(paths)))
    return paths


def test_many_recordings_in_one_table_and_the_gate(files: list[Path], tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    result = z3trace("compare", *files, "--report", report)
    assert result.returncode == 0, result.stderr
    header = result.stdout.splitlines()[2].split()
    assert header == ["before", "after", "slow", "seen", "by", "instr."]
    assert len(json.loads(report.read_text())["comparisons"]) == 2
    before, after, slow = files
    assert z3trace("compare", "--fail-on-regression", before, after).returncode == 0
    assert z3trace("compare", "--fail-on-regression", before, slow).returncode == 3
    assert z3trace("compare", before, slow, "--fail-on-regression", "10").returncode == 3
    assert z3trace("compare", before, slow, "--fail-on-regression=60").returncode == 0
    one = z3trace("compare", before)
    assert (one.returncode, "Traceback" in one.stderr) == (2, False)


def test_the_names_that_are_refused() -> None:
    for suffix in formats.FORMATS:
        assert formats.form_of(Path(f"x{suffix}")) == suffix
    with pytest.raises(UsageError, match=r"a report ends in one of \.txt, \.md, \.html, \.json"):
        formats.form_of(Path("x.pdf"))
    with pytest.raises(
        UsageError, match=r"of more than two recordings ends in one of \.txt, \.json"
    ):
        formats.form_of(Path("x.md"), several=True)


def test_all_of_a_comparison_is_written(tmp_path: Path) -> None:
    sides = (Digest.of(recording(label, runs=5)) for label in ("before", "after"))
    written = formats.write_all(compare(*sides), tmp_path)
    assert all(path.stat().st_size > 500 for path in written)
    assert {path.name for path in written} > {f"report{suffix}" for suffix in formats.FORMATS}
    assert sum(path.parent.name == "plots" for path in written) == 12
