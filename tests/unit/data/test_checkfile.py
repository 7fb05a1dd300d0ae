"""Checks survive a round trip, a lost kernel and a stranger's hand."""

from pathlib import Path

import checksamples
import pytest
from msgspec import structs

from z3trace.data import checkfile
from z3trace.errors import InputError, UsageError


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
        (b'{"type":"end","ledger":{},"result":{}}\n', ":1: .* the header is the first line"),
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


def _check(path: Path, identity: str, *, whole: bool) -> None:
    made = checksamples.broken()
    header = structs.replace(made.header, identity=identity)
    checksamples.write(structs.replace(made, header=header), path, whole=whole)


def test_the_check_before_is_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "check.z3c"
    old, new = checkfile.new_identity(), checkfile.new_identity()
    assert old != new
    _check(path, old, whole=True)
    assert checkfile.read(path, old).end is not None
    with pytest.raises(InputError, match=r"check\.z3c is of another check than this one"):
        checkfile.read(path, new)
    # This one's kernel was lost: what it found is read, not the old file.
    _check(path, new, whole=False)
    assert checkfile.read(path, new).end is None
    assert checkfile.read(path, old).end is not None


def test_a_part_file_of_another_check_is_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "check.z3c"
    _check(path, checkfile.new_identity(), whole=False)
    with pytest.raises(InputError, match=r"check\.z3c\.part is of another check"):
        checkfile.read(path, checkfile.new_identity())


def test_a_check_from_before_identities_is_read(tmp_path: Path) -> None:
    path = tmp_path / "check.z3c"
    _check(path, "", whole=True)
    text = path.read_bytes().replace(b',"identity":""', b"")
    assert b"identity" not in text
    path.write_bytes(text)
    assert checkfile.read(path).header.identity == ""
    with pytest.raises(InputError, match="another check"):
        checkfile.read(path, checkfile.new_identity())


def test_a_check_is_not_written_through_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "check.z3c.part").symlink_to(victim)
    with pytest.raises(UsageError, match="symbolic link"):
        checksamples.write(checksamples.broken(), tmp_path / "check.z3c")
    assert victim.read_text() == "precious"


def test_a_lost_check_is_kept_when_the_next_one_begins(tmp_path: Path) -> None:
    path = tmp_path / "check.z3c"
    checksamples.write(checksamples.broken(), path, whole=False)
    said: list[str] = []
    writer = checkfile.Writer(path, said.append)
    assert said == []
    writer.write(checksamples.header())
    assert said == [f"what an earlier run left is kept as {path}.part.1"]
    assert len(checkfile.read(tmp_path / "check.z3c.part.1").incidents) == 3
