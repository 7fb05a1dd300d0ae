"""Recordings of several boots of a kernel, taken as one side."""

from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from samples import recording, write

from z3trace.analysis.comparing.comparison import compare
from z3trace.analysis.figures import boots
from z3trace.analysis.figures.recording import Digest
from z3trace.data.model import Environment
from z3trace.errors import IncomparableError


def _boots(directory: Path, label: str, count: int, scale: float = 1.0) -> list[Path]:
    """Recordings of 3 runs a boot, the boots 20 % apart."""
    paths = [directory / f"{label}-{number}.z3t" for number in range(count)]
    for number, path in enumerate(paths):
        write(path, recording(label, runs=3, scale=scale * (1 + number / 5), seed=number))
    return paths


def test_a_boot_has_the_median_of_its_runs() -> None:
    numbers, values = np.array([1, 1, 1, 2, 2, 4]), np.array([1.0, 9.0, 2.0, 5.0, 7.0, 3.0])
    first, medians = boots.medians(numbers, values)
    assert list(first) == [0, 3, 5]
    assert list(medians) == [2, 6, 3]
    rows = np.stack([values, 10 * values], axis=1)
    assert boots.medians(numbers, rows)[1].tolist() == [[2, 20], [6, 60], [3, 30]]


def test_the_boot_is_the_unit(tmp_path: Path) -> None:
    paths = _boots(tmp_path, "before", 4)
    digest = Digest.of_boots(paths)
    assert digest.boots == 4
    assert digest.complete
    apart = [Digest.read(path) for path in paths]
    way = digest.kind
    assert digest.units(way) == 4
    assert len(digest.of_way(way)) == sum(len(each.of_way(way)) for each in apart)
    for key, (values, _) in digest.rows_of(way).items():
        expected = [float(np.median(each.rows_of(way)[key][0])) for each in apart]
        assert values.tolist() == pytest.approx(expected)
    curves = digest.curves("alloc")
    assert curves.shape == (4, apart[0].curves("alloc").shape[1])
    assert curves[1].tolist() == np.median(apart[1].curves("alloc"), axis=0).tolist()


def test_one_boot_is_a_recording_as_any_other(tmp_path: Path) -> None:
    (path,) = _boots(tmp_path, "before", 1)
    assert Digest.of_boots([path]).content() == Digest.read(path).content()


def test_differences_between_boots_are_no_difference_of_the_sides(tmp_path: Path) -> None:
    """Boots differ by up to 60 %, the three runs of one by a few per cent: with the run as the
    unit, two boots a side would look like a clear change."""
    before = Digest.of_boots(_boots(tmp_path, "before", 8))
    after = Digest.of_boots(_boots(tmp_path, "after", 8, scale=1.02))
    found = compare(before, after)
    assert found.regressions() == []
    assert not found.paired
    assert {m.effect.n_before for m in found.main()} == {8}
    assert any("8 boots, in turn: the boot is the unit" in text for text in found.caveats)
    assert not any("were not interleaved" in text for text in found.caveats)


def test_a_change_that_is_larger_than_what_boots_differ_by_is_found(tmp_path: Path) -> None:
    before = Digest.of_boots(_boots(tmp_path, "before", 8))
    after = Digest.of_boots(_boots(tmp_path, "after", 8, scale=4))
    assert "latency" in {m.metric for m in compare(before, after).regressions()}


def test_a_boot_of_another_kernel_is_refused(tmp_path: Path) -> None:
    paths = _boots(tmp_path, "before", 2)
    other = recording("before", runs=3)
    environment = Environment(kernel="6.1.0-0-amd64", kernel_version="#2 SMP")
    session = structs.replace(other.session, environment=environment)
    write(paths[1], structs.replace(other, session=session))
    with pytest.raises(IncomparableError, match=r"before-1\.z3t is no boot .* its kernel differs"):
        Digest.of_boots(paths)
