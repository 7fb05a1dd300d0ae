"""How a file gets its name: whole, or not at all."""

import os
import stat
from pathlib import Path

import pytest

from z3trace import paths
from z3trace.errors import UsageError


def _names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_a_file_is_written_whole_with_its_directories(tmp_path: Path) -> None:
    paths.write_atomic(tmp_path / "a/b/file", "one\n")
    paths.write_atomic(tmp_path / "a/b/file", b"two\n")
    assert (tmp_path / "a/b/file").read_bytes() == b"two\n"
    assert _names(tmp_path / "a/b") == {"file"}


def test_a_written_file_may_be_read_as_the_users_mask_says(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        paths.write_atomic(tmp_path / "file", "")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="directory"):
        paths.write_atomic(tmp_path / "file", "one")
    assert _names(tmp_path) == {"file"}


def test_a_link_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "file").symlink_to(victim)
    paths.write_atomic(tmp_path / "file", "new")
    assert victim.read_text() == "mine"
    assert not (tmp_path / "file").is_symlink()


def test_a_directory_gets_its_name_when_it_is_whole(tmp_path: Path) -> None:
    with paths.new_directory(tmp_path / "made") as work:
        (work / "file").write_text("one")
        assert not (tmp_path / "made").exists()
    assert (tmp_path / "made/file").read_text() == "one"
    assert _names(tmp_path) == {"made"}


def test_a_directory_that_fails_is_removed_and_the_old_one_stays(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made/old").write_text("")

    def fail() -> None:
        with paths.new_directory(tmp_path / "made") as work:
            (work / "new").write_text("")
            raise ValueError("half")

    with pytest.raises(ValueError, match="half"):
        fail()
    assert _names(tmp_path) == {"made"}
    assert _names(tmp_path / "made") == {"old"}


@pytest.mark.parametrize(("replace", "left"), [(True, "new"), (False, "old")])
def test_what_was_there_is_replaced_or_stays(tmp_path: Path, replace: bool, left: str) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made/old").write_text("")
    with paths.new_directory(tmp_path / "made", replace=replace) as work:
        (work / "new").write_text("")
    assert _names(tmp_path) == {"made"}
    assert _names(tmp_path / "made") == {left}


def test_an_output_that_exists_needs_force(tmp_path: Path) -> None:
    paths.must_be_new(tmp_path / "none", force=False)
    (tmp_path / "there").write_text("")
    paths.must_be_new(tmp_path / "there", force=True)
    with pytest.raises(UsageError, match="exists"):
        paths.must_be_new(tmp_path / "there", force=False)


def test_the_cache_is_made_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "a/cache"))
    assert paths.cache() == tmp_path / "a/cache"
    assert paths.cache().is_dir()
