"""Exports by the command line: a row of the table each."""

import subprocess
import sys
from pathlib import Path

import pytest
from samples import recording, write

from z3trace.analysis import export
from z3trace.errors import UsageError


def test_every_form_is_written_by_its_name(tmp_path: Path) -> None:
    write(tmp_path / "x.z3t", recording("x"))
    for suffix in export.FORMS:
        words = ["export", "x.z3t", "-o", f"x{suffix}", "--series", "latency:alloc"]
        result = subprocess.run(
            [sys.executable, "-m", "z3trace", *words],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert result.returncode == 0, result.stderr
        assert (tmp_path / f"x{suffix}").stat().st_size > 500


def test_another_name_is_refused() -> None:
    with pytest.raises(UsageError, match=r"\.csv, \.parquet, \.prom, \.hgrm"):
        export.form_of(Path("x.xml"))
