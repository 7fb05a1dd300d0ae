"""Outputs are written as what they are."""

import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from z3trace.data import outputs
from z3trace.errors import UsageError, Z3traceError


def test_a_plain_file_is_replaced_only_if_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    outputs.require(path, force=False)
    outputs.deliver(path, "first")
    with pytest.raises(UsageError, match="exists"):
        outputs.require(path, force=False)
    outputs.require(path, force=True)
    outputs.deliver(path, b"second")
    assert path.read_text() == "second"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.txt"], (
        "a temporary name is left"
    )


def test_a_device_gets_the_bytes_and_stays_a_device(tmp_path: Path) -> None:
    null = tmp_path / "null"
    try:
        os.mknod(null, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        null.write_bytes(b"")
    except PermissionError:
        null = Path("/dev/null")
    before = null.lstat()
    outputs.require(null, force=False)
    outputs.deliver(null, "into nothing")
    assert os.path.samestat(before, null.lstat()), "the device was replaced"


def test_a_pipe_gets_the_bytes_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    outputs.require(pipe, force=False)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    outputs.deliver(pipe, b"x" * 200_000)
    reader.join(10)
    assert read == [b"x" * 200_000]
    assert stat.S_ISFIFO(pipe.lstat().st_mode)


@pytest.mark.parametrize("steps", [1, 3])
def test_through_a_link_its_target_is_written_and_the_link_stays(
    tmp_path: Path, steps: int
) -> None:
    target = tmp_path / "elsewhere" / "target.txt"
    target.parent.mkdir()
    at = target
    for number in range(steps):
        link = tmp_path / f"link{number}"
        link.symlink_to(os.path.relpath(at, tmp_path))
        at = link
    outputs.require(at, force=False)
    outputs.deliver(at, "content")
    assert at.is_symlink()
    assert target.read_text() == "content"
    with pytest.raises(UsageError, match="exists"):
        outputs.require(at, force=False)


def test_a_link_in_a_circle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(UsageError, match="circle"):
        outputs.require(tmp_path / "a", force=True)


def test_a_link_of_another_user_is_not_followed(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make another user's link")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    os.lchown(link, 12345, 12345)
    for write in (lambda: outputs.require(link, force=True), lambda: outputs.deliver(link, "x")):
        with pytest.raises(UsageError, match="another user"):
            write()
    assert not (tmp_path / "target").exists()


def test_what_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a directory"):
        outputs.require(tmp_path, force=True)
    name = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(name))
        with pytest.raises(UsageError, match="a socket"):
            outputs.require(name, force=True)
        with pytest.raises(UsageError, match="a socket"):
            outputs.deliver(name, "x")
    assert stat.S_ISSOCK(name.lstat().st_mode)


def test_a_full_disk_is_said_in_one_line() -> None:
    with pytest.raises(Z3traceError, match="cannot write /dev/full: No space left"):
        outputs.deliver(Path("/dev/full"), "x")
