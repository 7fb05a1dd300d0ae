"""Other tools' forms, read back by other tools; trends; the gate."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from samples import recording, write

from z3trace.analysis import export
from z3trace.analysis.comparing import trend
from z3trace.analysis.figures import frame
from z3trace.analysis.figures.recording import Digest
from z3trace.data import buckets
from z3trace.data.model import Recording
from z3trace.errors import UsageError


def z3trace(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "z3trace", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = []
    for label, scale in (("before", 1.0), ("after", 0.7), ("slow", 1.3)):
        paths.append(tmp_path / f"{label}.z3t")
        write(paths[-1], recording(label, scale=scale, seed=len(paths)))
    return paths


def test_csv_and_parquet_hold_the_same_frame(files: list[Path], tmp_path: Path) -> None:
    for suffix in (".csv", ".parquet"):
        result = z3trace("export", *files, "-o", tmp_path / f"x{suffix}")
        assert result.returncode == 0, result.stderr
    text = pd.read_csv(tmp_path / "x.csv", keep_default_na=False)
    binary = pd.read_parquet(tmp_path / "x.parquet")
    assert list(text.columns) == list(binary.columns) == frame.COLUMNS
    assert np.allclose(text["value"], binary["value"])
    assert set(text["side"]) == {"before", "after", "slow"}


def test_openmetrics_is_read_by_prometheus_own_parser() -> None:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    evil = 'a"b\\c\nd'
    one = Digest.of(recording(evil))
    families = {f.name: f for f in text_string_to_metric_families(export.openmetrics([one]))}
    latency = families["z3trace_latency_seconds"]
    assert latency.type == "histogram"
    bounds = [s for s in latency.samples if s.name.endswith("_bucket")]
    assert bounds[0].labels["variant"] == evil
    assert bounds[-1].labels["le"] == "+Inf"
    counts = one.counts("latency", "alloc")
    assert bounds[-1].value == counts.sum()
    # A value equal to a bound is in its bucket: the bound is the bucket's last nanosecond.
    first = int(np.flatnonzero(counts)[0])
    assert float(bounds[0].labels["le"]) == pytest.approx((buckets.upper(first) - 1) * 1e-9)
    assert [b.value for b in bounds] == sorted(b.value for b in bounds)


def test_hgrm_reads_as_percentiles() -> None:
    one = Digest.of(recording("before"))
    lines = export.hgrm(one, "latency:alloc").splitlines()
    rows = [line.split() for line in lines if line and line[0] == " " and "Value" not in line]
    values = [float(row[0]) for row in rows]
    shares = [float(row[1]) for row in rows]
    assert values == sorted(values)
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == 1
    assert int(rows[-1][2]) == one.counts("latency", "alloc").sum()
    middle = next(value for value, share in zip(values, shares, strict=True) if share >= 0.5)
    assert middle == pytest.approx(1000, rel=0.1)
    with pytest.raises(UsageError, match="no series"):
        export.hgrm(one, "latency:nothing")


def test_many_recordings_in_one_table_and_the_gate(files: list[Path], tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    result = z3trace("compare", *files, "--report", report)
    assert result.returncode == 0, result.stderr
    header = result.stdout.splitlines()[2].split()
    assert header == ["before", "after", "slow"]
    assert len(json.loads(report.read_text())["comparisons"]) == 2
    before, after, slow = files
    assert z3trace("compare", "--fail-on-regression", before, after).returncode == 0
    assert z3trace("compare", "--fail-on-regression", before, slow).returncode == 3
    assert z3trace("compare", before, slow, "--fail-on-regression", "10").returncode == 3
    assert z3trace("compare", before, slow, "--fail-on-regression=60").returncode == 0
    one = z3trace("compare", before)
    assert (one.returncode, "Traceback" in one.stderr) == (2, False)


def _dated(one: Recording, day: int) -> Recording:
    session = msgspec.structs.replace(one.session, created=f"2026-01-{day:02d}T00:00:00+00:00")
    return msgspec.structs.replace(one, session=session)


def test_a_trend_marks_the_change_and_nothing_else(tmp_path: Path) -> None:
    for day in range(1, 17):
        scale = 1.0 if day < 9 else 1.2
        write(tmp_path / f"{day}.z3t", _dated(recording(f"c{day}", scale=scale, seed=day), day))
    result = z3trace("trend", tmp_path, "--plot", tmp_path / "t.svg")
    assert result.returncode == 0, result.stderr
    line = next(x for x in result.stdout.splitlines() if x.startswith("latency alloc mean"))
    assert "from c9 on" in line
    assert line.count(" on (p=") == 1
    assert (tmp_path / "t.svg").stat().st_size > 1000
    random = np.random.default_rng(1)
    steady = [trend.change_points(random.normal(0, 0.05, 20), 1) for _ in range(100)]
    assert sum(map(bool, steady)) <= 10


def test_the_frame_is_what_the_documentation_shows() -> None:
    table = frame.tidy([("before", Digest.of(recording("before")))])
    medians = table[(table.metric == "latency") & (table.statistic == "p50")]
    assert len(medians) == 10
    assert medians["value"].between(800, 1200).all()


def test_the_worked_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every indented block of Python in docs/analysis.md, on made-up recordings."""
    text = (Path(__file__).parents[3] / "docs/analysis.md").read_text()
    blocks = [b for b in text.split("\n\n") if b.startswith("    ") and "z3trace ab" not in b]
    (tmp_path / "build/demo").mkdir(parents=True)
    for label, scale in (("before", 1.0), ("after", 0.7)):
        for name in (f"{label}.z3t", f"build/demo/{label}.z3t"):
            write(tmp_path / name, recording(label, scale=scale, seed=int(scale * 10)))
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {}
    for block in blocks:
        lines = [line.removeprefix("    ") for line in block.splitlines()]
        exec("\n".join(lines), scope)  # noqa: S102 - our own documentation
    assert len(blocks) >= 6
