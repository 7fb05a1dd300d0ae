"""A check's file read back."""

from pathlib import Path

import pytest
from checksamples import broken, write

from z3trace.data import checkfile
from z3trace.errors import InputError


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    write(broken(), tmp_path / "check.z3c")
    assert checkfile.read(tmp_path / "check.z3c") == broken()
    assert not (tmp_path / "check.z3c.part").exists()


def test_a_check_that_was_cut_short_has_all_that_was_found(tmp_path: Path) -> None:
    write(broken(), tmp_path / "check.z3c", whole=False)
    part = tmp_path / "check.z3c.part"
    part.write_bytes(part.read_bytes() + b'{"type":"incident","rule":"rel')
    found = checkfile.read(tmp_path / "check.z3c")
    assert found.incidents == broken().incidents
    assert found.end is None


@pytest.mark.parametrize(
    "text", [b"", b"{}\n", b"[[[[\n", b'{"type":"session"}\n', b"\xff\xfe\n", b'{"type":"check"}\n']
)
def test_another_file_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "check.z3c"
    path.write_bytes(text)
    with pytest.raises(InputError, match="not a z3trace check"):
        checkfile.read(path)
