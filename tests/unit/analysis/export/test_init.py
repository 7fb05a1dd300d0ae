"""Exports by the command line: a row of the table each."""

from pathlib import Path

import pytest
from commandline import z3trace
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from samples import recording, write

from z3trace.analysis import export
from z3trace.analysis.figures.recording import Digest
from z3trace.errors import UsageError


def test_every_form_is_written_by_its_name(tmp_path: Path) -> None:
    write(tmp_path / "x.z3t", recording("x"))
    for suffix in export.FORMS:
        words = ["export", "x.z3t", "-o", f"x{suffix}", "--series", "latency:alloc"]
        result = z3trace(*words, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        assert (tmp_path / f"x{suffix}").stat().st_size > 500


def test_recordings_of_one_label_are_told_apart_by_their_files(tmp_path: Path) -> None:
    """An official parser refuses what is there twice, and rows were of nobody knew which."""
    paths = [write(tmp_path / name, recording("x", seed=n)) for n, name in enumerate(("a", "b"))]
    digests = [Digest.read(path) for path in paths]
    for suffix in (".prom", ".csv"):
        export.write(digests, tmp_path / f"x{suffix}", "")
    families = text_string_to_metric_families((tmp_path / "x.prom").read_text())
    samples = [sample for family in families for sample in family.samples]
    assert {sample.labels["variant"] for sample in samples} == {"x (a)", "x (b)"}
    assert {line.split(",")[0] for line in (tmp_path / "x.csv").read_text().splitlines()[1:]} == {
        "x (a)",
        "x (b)",
    }


def test_another_name_is_refused() -> None:
    with pytest.raises(UsageError, match=r"\.csv, \.parquet, \.prom, \.hgrm"):
        export.form_of(Path("x.xml"))
