"""Checks survive a round trip, a lost kernel and a stranger's hand."""

from pathlib import Path

import checksamples
import pytest

from z3trace.data import checkfile
from z3trace.errors import InputError


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "check.z3c"
    checksamples.write(checksamples.broken(), path)
    assert checkfile.read(path) == checksamples.broken()
    assert [file.name for file in tmp_path.iterdir()] == ["check.z3c"]


def test_a_lost_kernel_leaves_all_that_was_found(tmp_path: Path) -> None:
    path = tmp_path / "check.z3c"
    checksamples.write(checksamples.broken(), path, whole=False)
    check = checkfile.read(path)
    assert check.incidents == checksamples.broken().incidents
    assert check.end is None


def test_every_line_is_on_disk_when_write_returns(tmp_path: Path) -> None:
    writer = checkfile.Writer(tmp_path / "check.z3c")
    assert list(tmp_path.iterdir()) == []
    writer.write(checksamples.header())
    for count in (1, 2):
        writer.write(checksamples.incident("long-hold", 0))
        assert len(checkfile.read(tmp_path / "check.z3c").incidents) == count


def test_the_last_progress_holds(tmp_path: Path) -> None:
    writer = checkfile.Writer(tmp_path / "check.z3c")
    writer.write(checksamples.header())
    for elapsed in (1, 2, 3):
        writer.write(checksamples.progress(elapsed=elapsed))
    progress = checkfile.read(tmp_path / "check.z3c").progress
    assert progress is not None
    assert progress.elapsed == 3


def test_a_line_that_was_cut_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "check.z3c"
    checksamples.write(checksamples.broken(), path)
    lines = _lines(path)
    path.write_bytes(b"".join(lines[:3]) + lines[3][:40])
    assert len(checkfile.read(path).incidents) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it has no header"),
        (b"hello\n", ":1: not a z3trace check"),
        (b'{"type":"session"}\n', ":1: not a z3trace check"),
        (b"[" * 100_000 + b"\n", ":1: not a z3trace check"),
        (b'{"type":"end","ledger":{},"result":{}}\n', "it has no header"),
    ],
)
def test_what_is_no_check_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "check.z3c"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        checkfile.read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*none\.z3c"):
        checkfile.read(tmp_path / "none.z3c")


def test_an_incident_is_known_again_by_rule_time_and_cpu() -> None:
    incident = checksamples.incident("long-hold", 0)
    assert incident.key() == checksamples.incident("long-hold", 2, task=1).key()
    assert incident.key() != checksamples.incident("long-hold", 0, cpu=7).key()
