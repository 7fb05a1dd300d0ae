"""The nesting of a good kernel, from any of the files that have it."""

from pathlib import Path

import msgspec
import pytest
from checksamples import broken, clean, write
from samples import recording
from samples import write as write_recording

from z3trace.analysis.checks import judgement
from z3trace.analysis.checks.reference import nesting_of
from z3trace.analysis.report import checkformats
from z3trace.data.counts import Nesting
from z3trace.errors import InputError


def test_nesting_that_the_reference_never_saw(tmp_path: Path) -> None:
    write(clean(), tmp_path / "good.z3c")
    reference = nesting_of(tmp_path / "good.z3c")
    report = judgement.report(broken(), reference=reference)
    new = [(v.other_lock, v.lock, v.count) for v in report.violations if v.rule == "new-nesting"]
    assert new == [("pool", "page", 7)]
    assert judgement.report(clean(), reference=reference).verdict == "clean"


def test_a_report_has_the_nesting_of_its_check(tmp_path: Path) -> None:
    write(broken(), tmp_path / "x.z3c")
    (tmp_path / "x.json").write_text(checkformats.as_json(judgement.report(broken())))
    assert nesting_of(tmp_path / "x.json") == nesting_of(tmp_path / "x.z3c")


def test_a_recording_has_it_by_counts(tmp_path: Path) -> None:
    made = recording("x")
    runs = [
        msgspec.structs.replace(run, nesting=[Nesting(held="pool", acquired="page", count=3)])
        for run in made.runs[:2]
    ]
    path = write_recording(tmp_path / "x.z3t", msgspec.structs.replace(made, runs=runs))
    (edge,) = nesting_of(path)
    assert (edge.held, edge.acquired, edge.count) == ("pool", "page", 6)


@pytest.mark.parametrize("text", ["", "[", "{}", "[" * 5000, "\x00"])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InputError, match="not the report of a check"):
        nesting_of(tmp_path / "x.json")
