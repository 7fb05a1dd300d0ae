"""Programs that are kept: found again, and never taken from a stranger."""

import os
from pathlib import Path

import pytest

from z3trace import paths
from z3trace.bpf import compiled
from z3trace.bpf.compiled import Compiled, MapShape

_CODE = bytes(16)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compiled:
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path))
    monkeypatch.delenv("Z3TRACE_PROGRAMS", raising=False)
    monkeypatch.delenv(paths.VOUCHED, raising=False)
    return Compiled("0" * 64, [MapShape("cpus", 128, 2)], {"lock": _CODE})


def _file(programs: Compiled, tmp_path: Path) -> Path:
    compiled.keep(programs)
    return tmp_path / "programs" / programs.key


def test_what_is_kept_is_found(programs: Compiled, tmp_path: Path) -> None:
    assert compiled.kept(programs.key) is None
    assert _file(programs, tmp_path).exists()
    assert compiled.kept(programs.key) == programs


def test_a_file_that_others_may_write_is_not_loaded(programs: Compiled, tmp_path: Path) -> None:
    _file(programs, tmp_path).chmod(0o666)
    assert compiled.kept(programs.key) is None


def test_root_does_not_load_from_a_directory_that_others_can_write(
    programs: Compiled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the environment names it; in a guest the host vouches for it."""
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o777)
    shared.chmod(0o777)
    monkeypatch.setenv("Z3TRACE_PROGRAMS", str(shared))
    monkeypatch.setenv(paths.VOUCHED, "1")
    (tmp_path / "cmdline").write_text("console=ttyS0 Z3T_RUN=/x")
    monkeypatch.setattr(paths, "_COMMAND_LINE", tmp_path / "cmdline")
    compiled.keep(programs)
    assert compiled.kept(programs.key) == programs
    (shared / programs.key).chmod(0o666)
    assert compiled.kept(programs.key) == programs
    (shared / programs.key).chmod(0o644)
    monkeypatch.delenv(paths.VOUCHED)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert compiled.kept(programs.key) is None
    (shared / programs.key).unlink()
    compiled.keep(programs)
    assert list(shared.iterdir()) == []


def test_a_link_is_not_followed(programs: Compiled, tmp_path: Path) -> None:
    file = _file(programs, tmp_path)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert compiled.kept(programs.key) is None


def test_a_file_under_another_name_is_not_loaded(programs: Compiled, tmp_path: Path) -> None:
    file = _file(programs, tmp_path)
    file.rename(file.with_name("1" * 64))
    assert compiled.kept("1" * 64) is None


@pytest.mark.parametrize("content", [b"", b"\x80", b"junk", b"\xc1" * 99])
def test_a_damaged_file_is_compiled_again(
    programs: Compiled, tmp_path: Path, content: bytes
) -> None:
    _file(programs, tmp_path).write_bytes(content)
    assert compiled.kept(programs.key) is None


def test_old_ones_are_removed(programs: Compiled, tmp_path: Path) -> None:
    for number in range(70):
        compiled.keep(Compiled(f"{number:064}", [], {}))
    left = {one.name for one in (tmp_path / "programs").iterdir()}
    assert len(left) == 64
    assert f"{69:064}" in left


def test_only_kept_programs_are_removed(programs: Compiled, tmp_path: Path) -> None:
    """Programs of workloads lie there too, in directories; and nothing is pruned beyond."""
    directory = _file(programs, tmp_path).parent
    (directory / "zswap_pressure-00").mkdir()
    (directory / "mine").write_text("")
    outside = tmp_path / "outside"
    outside.write_text("")
    (directory / ("a" * 64)).symlink_to(outside)
    (directory / ("b" * 64)).mkdir()
    for number in range(70):
        compiled.keep(Compiled(f"{number:064}", [], {}))
    left = {path.name for path in directory.iterdir()}
    assert left >= {"zswap_pressure-00", "mine", "a" * 64, "b" * 64, f"{69:064}"}
    assert len(left) == 64 + 4
    assert outside.exists()


def test_nothing_is_kept_or_removed_through_a_link(programs: Compiled, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    names = {f"{number:064x}" for number in range(70)}
    for name in names:
        (elsewhere / name).write_text("")
    (tmp_path / "programs").symlink_to(elsewhere)
    compiled.keep(programs)
    assert {path.name for path in elsewhere.iterdir()} == names


def test_the_key_changes_with_everything_that_is_compiled(tmp_path: Path) -> None:
    source = tmp_path / "a.bpf.c"
    source.write_text("one")
    keys = [compiled.key(tmp_path, []), compiled.key(tmp_path, ["-DX=1"])]
    source.write_text("two")
    keys.append(compiled.key(tmp_path, []))
    source.rename(tmp_path / "b.bpf.c")
    keys.append(compiled.key(tmp_path, []))
    assert len(set(keys)) == 4
    assert compiled.key(tmp_path, []) == keys[-1]
