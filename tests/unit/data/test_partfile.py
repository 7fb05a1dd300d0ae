"""Part files: made anew, locked, never lost, and nothing but a plain file is replaced."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from z3trace.data import partfile
from z3trace.data.partfile import PartFile
from z3trace.errors import UsageError, Z3traceError

WRITER = """
import sys
from pathlib import Path
from z3trace.data.partfile import PartFile
part = PartFile(Path(sys.argv[1]))
part.file.write(b"live")
part.sync()
print("ready", flush=True)
sys.stdin.read()
"""


def _names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def _write(path: Path, content: bytes) -> PartFile:
    part = PartFile(path)
    part.file.write(content)
    part.sync()
    return part


@contextmanager
def _other_writer(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that has *path* in work."""
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_the_name_comes_when_the_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x"
    part = _write(path, b"new")
    assert _names(path.parent) == ["x.part"]
    part.finish()
    assert _names(path.parent) == ["x"]
    assert path.read_bytes() == b"new"


def test_a_file_that_is_there_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    part = _write(path, b"new")
    assert path.read_bytes() == b"old"
    part.finish()
    assert path.read_bytes() == b"new"


def test_a_link_as_part_file_is_neither_followed_nor_removed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "x.part").symlink_to(victim)
    with pytest.raises(UsageError, match=r"x\.part is a symbolic link"):
        PartFile(tmp_path / "x")
    assert victim.read_bytes() == b"precious"
    assert (tmp_path / "x.part").is_symlink()
    assert not (tmp_path / "x").exists()


def _make(kind: str, path: Path) -> None:
    if kind == "a symbolic link":
        path.symlink_to(path.with_name("target"))
    elif kind == "a directory":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))


KINDS = ["a symbolic link", "a directory", "a pipe", "a socket"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["x", "x.part"])
def test_nothing_but_a_plain_file_is_replaced(tmp_path: Path, kind: str, name: str) -> None:
    _make(kind, tmp_path / name)
    for ask in (partfile.require_writable, PartFile):
        with pytest.raises(UsageError, match=f"{name} is {kind}"):
            ask(tmp_path / "x")
    assert _names(tmp_path) == [name]


def test_a_device_is_not_replaced() -> None:
    with pytest.raises(UsageError, match="/dev/null is a device"):
        partfile.require_writable(Path(os.devnull))


@pytest.mark.parametrize("kind", KINDS)
def test_what_takes_the_name_meanwhile_is_not_replaced_either(tmp_path: Path, kind: str) -> None:
    part = _write(tmp_path / "x", b"new")
    _make(kind, tmp_path / "x")
    with pytest.raises(Z3traceError, match=f"x is {kind} now.*x.part"):
        part.finish()
    assert (tmp_path / "x.part").read_bytes() == b"new"


def test_what_a_lost_run_left_is_kept_and_named(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / "x.part").write_bytes(b"lost %d" % number)
        said: list[str] = []
        part = PartFile(tmp_path / "x", said.append)
        assert said == [f"what an earlier run left is kept as {tmp_path / 'x.part'}.{number + 1}"]
        part.finish()
    assert [(tmp_path / f"x.part.{n}").read_bytes() for n in (1, 2, 3)] == [
        *(b"lost 0", b"lost 1"),
        b"lost 2",
    ]


def test_a_name_for_it_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "x.part.1").symlink_to(victim)
    (tmp_path / "x.part.2").mkdir()
    (tmp_path / "x.part").write_bytes(b"lost")
    PartFile(tmp_path / "x").close()
    assert victim.read_bytes() == b"precious"
    assert (tmp_path / "x.part.3").read_bytes() == b"lost"


def test_a_run_that_fails_removes_its_own_part_file_only(tmp_path: Path) -> None:
    (tmp_path / "x.part").write_bytes(b"lost")
    PartFile(tmp_path / "x").discard()
    assert _names(tmp_path) == ["x.part.1"]
    part = _write(tmp_path / "x", b"mine")
    os.replace(tmp_path / "x.part", tmp_path / "elsewhere")
    (tmp_path / "x.part").write_bytes(b"somebody else's")
    part.discard()
    assert (tmp_path / "x.part").read_bytes() == b"somebody else's"


def test_a_part_file_that_was_replaced_does_not_get_the_name(tmp_path: Path) -> None:
    part = _write(tmp_path / "x", b"mine")
    (tmp_path / "x.part").unlink()
    (tmp_path / "x.part").write_bytes(b"somebody else's")
    with pytest.raises(Z3traceError, match="moved or replaced"):
        part.finish()
    assert not (tmp_path / "x").exists()


def test_two_writers_on_one_name_do_not_mix(tmp_path: Path) -> None:
    with _other_writer(tmp_path / "x"):
        for ask in (partfile.require_writable, PartFile):
            with pytest.raises(UsageError, match="being written by another process"):
                ask(tmp_path / "x")
        assert _names(tmp_path) == ["x.part"]
        assert (tmp_path / "x.part").read_bytes() == b"live"


def test_a_writer_that_was_killed_has_no_lock(tmp_path: Path) -> None:
    with _other_writer(tmp_path / "x") as process:
        process.kill()
        process.wait()
        _write(tmp_path / "x", b"next").finish()
    assert (tmp_path / "x.part.1").read_bytes() == b"live"
    assert (tmp_path / "x").read_bytes() == b"next"


def test_a_directory_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    missing.symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="cannot make .*missing"):
        PartFile(missing / "x")


@given(st.lists(st.sampled_from(["lost", "whole", "failed"]), min_size=1, max_size=12))
def test_nothing_that_was_recorded_is_ever_lost(
    tmp_path_factory: pytest.TempPathFactory, ends: list[str]
) -> None:
    path = tmp_path_factory.mktemp("parts") / "x"
    kept: set[bytes] = set()
    for number, end in enumerate(ends):
        content = b"%d" % number
        if end == "whole":
            path.unlink(missing_ok=True)  # --force
        part = _write(path, content)
        if end == "lost":
            part.close()
            kept.add(content)
        elif end == "failed":
            part.discard()
        else:
            part.finish()
            assert path.read_bytes() == content
    left = {file.read_bytes() for file in path.parent.glob("x.part*")}
    assert left == kept
