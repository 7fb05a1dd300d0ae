"""A trend by the command line."""

import json
from pathlib import Path

import msgspec
import pytest
from commandline import z3trace
from samples import recording, write

from z3trace.data.model import Recording


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
    report = json.loads(z3trace("trend", tmp_path, "--json").stdout)
    assert len(report["sessions"]) == 16
    (latency,) = (
        t for t in report["trends"] if (t["metric"], t["statistic"]) == ("latency", "mean")
    )
    (change,) = latency["change_points"]
    assert change["at"] == 8
    assert change["ratio"] == pytest.approx(1.2, rel=0.05)
