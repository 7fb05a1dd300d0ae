"""Recordings that are made to cost more than their size: refused by name, at once."""

from pathlib import Path

import msgspec
import pytest
from fuzz import hostile
from samples import recording, run_seen, write

from z3trace.analysis.figures import bounds
from z3trace.analysis.figures.recording import Digest
from z3trace.data.model import Run
from z3trace.errors import InputError


def test_names_without_number_cost_no_memory(tmp_path: Path) -> None:
    """96 000 names in 280 kB: at 8 kB for each that was 800 MB."""
    path = hostile.made(hostile.every_name_its_own(), tmp_path / "x.z3t.gz")
    assert path.stat().st_size < 500_000
    spent = hostile.cost("show", path)
    assert hostile.fits(spent), spent
    assert spent.status == 1
    assert "x.z3t.gz:" in spent.error


def test_histograms_without_number_cost_no_time(tmp_path: Path) -> None:
    """A million histograms in 1.2 MB: at 25 us for each that was half a minute."""
    path = hostile.made(hostile.small_histograms(), tmp_path / "x.z3t.gz")
    spent = hostile.cost("show", path)
    assert hostile.fits(spent), spent
    assert spent.status == 1
    assert "than a recording of this size has" in spent.error


def _add(digest: Digest, lines: hostile.Lines) -> None:
    for line in lines:
        if isinstance(line, Run):
            digest.add(line)


def test_the_bound_is_named_with_its_file() -> None:
    digest = Digest("some.z3t", recording("x").session)
    with pytest.raises(InputError, match=r"some\.z3t: more than 2048 series"):
        _add(digest, hostile.every_name_its_own())


def test_ways_without_number_are_refused() -> None:
    made = recording("x", runs=1)
    runs = [msgspec.structs.replace(made.runs[0], probe=f"lock:x{i}") for i in range(100)]
    with pytest.raises(InputError, match=r"x\.z3t: more than 64 ways"):
        Digest.of(msgspec.structs.replace(made, runs=runs))


def test_every_witness_of_a_run_is_paid_for() -> None:
    for way in ("clocked", "timed"):
        run = run_seen(way, 0, scale=1, lock_scale=1, seed=1)
        bare = run_seen("none", 0, scale=1, lock_scale=1, seed=1)
        assert bounds.cost(run) > bounds.cost(bare) + 100


def test_call_sites_that_the_session_does_not_know_are_not_kept() -> None:
    made = recording("x", runs=1).runs[0]
    digest = Digest("x.z3t", recording("x").session)
    sites = [msgspec.structs.replace(made.sites[0], site=i) for i in range(3)]
    digest.add(msgspec.structs.replace(made, sites=sites))
    assert digest.site(0).acquisitions == 2000
    assert digest.site(1).acquisitions == 0


def test_a_real_recording_has_room_whatever_its_length(tmp_path: Path) -> None:
    """Its own bytes pay for it: a run costs less than an eighth of what it takes packed."""
    made = recording("x", runs=40)
    run = made.runs[0]
    assert bounds.cost(run) < len(msgspec.json.encode(run)) / bounds.BYTES + bounds.FREE / 1000
    digest = Digest.read(write(tmp_path / "x.z3t.gz", made))
    assert len(digest.runs) == 80
