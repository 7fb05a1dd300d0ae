"""What a guest of a stranger's code may read of its host: looked at from inside the box."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from z3trace.guest import box
from z3trace.guest.share import Directories, directories


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Directories:
    (tmp_path / "cache").mkdir(mode=0o700)
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "cache"))
    for name in ("run", "private", "programs", "home"):
        (tmp_path / name).mkdir()
    (tmp_path / "home/secret").write_text("of the user")
    (tmp_path / "cache/module").write_text("to load")
    return Directories(tmp_path / "run", tmp_path / "private")


def _inside(where: Directories, script: str, keeps: Path | None = None) -> str:
    command = [*box.boxed(where, keeps_programs=keeps), "sh", "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return result.stdout + result.stderr


def test_a_home_and_the_systems_settings_are_not_there(where: Directories) -> None:
    home, secret = Path.home(), where.run.parent / "home/secret"
    said = _inside(where, f"cat {secret} /etc/shadow /etc/hostname; ls -A {home}; ls /home")
    assert "of the user" not in said
    assert said.count("No such file") >= 4


def test_what_it_needs_can_be_read_and_not_changed(where: Directories) -> None:
    module = where.run.parent / "cache/module"
    said = _inside(where, f"cat {module}; echo bad >> {module}; echo $?; touch /x /usr/x")
    assert said.startswith("to load")
    assert "Read-only file system" in said
    assert module.read_text() == "to load"


def test_its_own_directories_are_written(where: Directories) -> None:
    _inside(where, f"echo 1 > {where.run}/out; echo 2 > {where.private}/console.log")
    assert (where.run / "out").read_text() == "1\n"
    assert (where.private / "console.log").read_text() == "2\n"


def test_kept_programs_are_written_only_by_guests_of_our_own(where: Directories) -> None:
    programs = where.run.parent / "cache/guest-programs"
    programs.mkdir()
    _inside(where, f"echo 1 > {programs}/ours", programs)
    said = _inside(where, f"echo 1 > {programs}/theirs")
    assert "Read-only" in said
    assert os.listdir(programs) == ["ours"]  # noqa: PTH208 - names


def test_nobody_else_is_there_and_nothing_is_reached(where: Directories) -> None:
    said = _inside(where, "cat /proc/net/dev | wc -l; ls -d /proc/[0-9]* | wc -l; id -u")
    lines, processes, user = said.split()
    assert int(lines) == 3  # two of heading, and the loopback
    assert int(processes) < 8
    assert user == "0"  # of the box, where that is nobody
    assert "permi" in _inside(where, "mount -t tmpfs x /mnt")


def test_nothing_of_the_kernel_is_set_from_inside(where: Directories) -> None:
    """As root /proc/sys goes by the user's number: core_pattern is a way out."""
    assert _inside(where, "find /proc -writable -type f 2>/dev/null | head -3") == ""


def test_a_directory_of_the_command_is_not_shown(
    where: Directories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``python -m`` puts the current directory, which may be a home, into sys.path."""
    monkeypatch.setattr(sys, "path", [str(tmp_path / "home"), "", *sys.path])
    assert tmp_path / "home" not in box.readable()
    assert not any(Path.home().is_relative_to(path) for path in box.readable())
    assert "of the user" not in _inside(where, f"cat {tmp_path}/home/secret")


def test_python_starts_in_the_box(where: Directories) -> None:
    said = _inside(where, f"{sys.executable} -m z3trace --version")
    assert said.startswith("z3trace "), said


def test_directories_are_removed_when_the_box_is_gone() -> None:
    with directories() as where:
        _inside(where, f"mkdir {where.run}/a; touch {where.run}/a/b")
        assert (where.run / "a/b").exists()
    assert not where.run.exists()
