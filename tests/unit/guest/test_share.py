"""What a guest may have left in its directory, and how the host reads it."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from z3trace.errors import UsageError, Z3traceError
from z3trace.guest import share

SECRET = b"a file of the host"


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.with_name("secret").write_bytes(SECRET)
    path.symlink_to(path.with_name("secret"))


def _link_to_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _directory(path: Path) -> None:
    path.mkdir()


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _nothing(path: Path) -> None:
    del path


@pytest.mark.timeout(10)
@pytest.mark.parametrize("make", [_fifo, _link, _link_to_device, _directory, _loop, _nothing])
def test_only_regular_files_are_read(make: Callable[[Path], None], tmp_path: Path) -> None:
    run, home = tmp_path / "run", tmp_path / "home"
    run.mkdir()
    home.mkdir()
    make(run / "x")
    assert share.read(run / "x", 100) is None
    assert not share.copy_out(run / "x", home / "x")
    assert list(home.iterdir()) == []


def test_a_file_is_read_in_bounded_parts(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abcdef")
    assert share.read(tmp_path / "x", 4) == b"abcd"
    assert share.read(tmp_path / "x", 4, 4) == b"ef"
    assert share.read(tmp_path / "x", 4, 6) == b""


def test_a_result_comes_home_without_its_mode(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"a result")
    (tmp_path / "x").chmod(0o4777)
    (tmp_path / "elsewhere").write_bytes(SECRET)
    (tmp_path / "home").symlink_to(tmp_path / "elsewhere")
    assert share.copy_out(tmp_path / "x", tmp_path / "home")
    assert (tmp_path / "home").read_bytes() == b"a result"
    assert not (tmp_path / "home").is_symlink()
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) & 0o7022 == 0
    assert (tmp_path / "elsewhere").read_bytes() == SECRET


def test_a_sparse_terabyte_is_refused_and_told_of(tmp_path: Path) -> None:
    with (tmp_path / "x").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(Z3traceError, match="x is larger than"):
        share.copy_out(tmp_path / "x", tmp_path / "home")
    assert not (tmp_path / "home").exists()
    assert share.overflow(tmp_path) == f"more than {share.RUN_LIMIT >> 20} MiB"


def test_too_many_files_are_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "_MOST_FILES", 20)
    for number in range(30):
        (tmp_path / f"{number}").mkdir()
    assert share.overflow(tmp_path) == "more than 20 files"


def test_a_usual_directory_does_not_overflow(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below/x.z3t").write_bytes(bytes(100_000))
    (tmp_path / "loop").symlink_to(tmp_path)
    assert share.overflow(tmp_path) == ""


def test_a_guests_directories_are_its_own_and_go_with_it(tmp_path: Path) -> None:
    with share.directories(tmp_path) as where, share.directories(tmp_path) as other:
        assert where.run != other.run
        assert where.run.parent == tmp_path
        assert not where.private.is_relative_to(where.run)
        for directory in (where.run, where.private):
            assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        (where.run / "link").symlink_to(tmp_path)
        (tmp_path / "kept").write_text("kept")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize("share_of", [Path("/"), Path.home(), Path.home().parent])
def test_a_home_directory_is_not_shared(share_of: Path) -> None:
    with pytest.raises(UsageError, match="cannot be shared with a guest"):
        share.must_be_shareable(share_of)


def test_a_project_is_shared(tmp_path: Path) -> None:
    share.must_be_shareable(tmp_path)


@pytest.mark.timeout(20)
def test_a_fifo_as_output_does_not_outlast_the_deadline(tmp_path: Path) -> None:
    """The host's loop, in a process of its own, as a host that waits cannot be asked."""
    code = (
        "import os, sys, time; from pathlib import Path\n"
        "from z3trace.guest.process import Follower, Guest, watch\n"
        "from z3trace.guest.share import Directories\n"
        "run = Path(sys.argv[1]); os.mkfifo(run / 'stdout'); os.mkfifo(run / 'status')\n"
        "guest = Guest(['sleep', '60'], Directories(run, run))\n"
        "print(watch(guest, 1, [Follower(run / 'stdout', print)], lambda: False))\n"
        "guest.kill(); print(guest.status())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )
    assert result.stdout == "the guest passed its deadline of 1 s\nNone\n", result.stderr


def test_directories_that_are_too_deep_are_told_of(tmp_path: Path) -> None:
    """Beyond PATH_MAX nothing was seen: neither 50 GiB nor 12 000 files."""
    fd = os.open(tmp_path, os.O_RDONLY)
    for _ in range(40):
        os.mkdir("d" * 250, dir_fd=fd)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(fd)
    assert share.overflow(tmp_path) == f"directories more than {share._DEEPEST} deep"


def test_a_file_without_a_name_counts(tmp_path: Path) -> None:
    """Held open by a child of QEMU, as it is below bubblewrap."""
    script = (
        "import os, sys, time; file = open('x', 'wb'); os.unlink('x')\n"
        "file.truncate(3 << 30); print('ready', flush=True); time.sleep(30)"
    )
    command = ["sh", "-c", '"$0" -c "$1" & wait', sys.executable, script]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        assert share.overflow(tmp_path) == ""
        assert share.overflow(tmp_path, process.pid) == f"more than {share.RUN_LIMIT >> 20} MiB"
        os.killpg(process.pid, 9)


@pytest.mark.parametrize("name", ["/etc", "/usr/share", "/var", "/home", "/opt"])
def test_a_directory_of_the_system_is_not_shared(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be shared with a guest"):
        share.must_be_shareable(Path(name))


def test_other_peoples_homes_are_known_too(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [SimpleNamespace(pw_dir="/data/homes/ann", pw_uid=1234)]
    monkeypatch.setattr(share.pwd, "getpwall", lambda: entries)
    assert Path("/data/homes/ann") in share.homes()
