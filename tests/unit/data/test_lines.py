"""Lines of files from strangers: what is packed, and what is no file."""

import gzip
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from z3trace.data import limits, lines
from z3trace.errors import InputError

LINES = b"".join(b"%d\n" % number for number in range(50_000))


def _texts(path: Path) -> list[bytes]:
    return [line for _, line, whole in lines.read(path, limits.RECORDING) if whole]


def test_members_are_joined_and_a_line_may_lie_in_two(tmp_path: Path) -> None:
    path = tmp_path / "a.z3t.gz"
    cut = len(LINES) // 2 + 1
    path.write_bytes(gzip.compress(LINES[:cut]) + gzip.compress(b"") + gzip.compress(LINES[cut:]))
    assert b"".join(_texts(path)) == LINES


@pytest.mark.parametrize("cut", [1, 8, 9, 1000, 50_000])
def test_a_cut_file_is_read_up_to_its_last_whole_line(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.z3t.gz"
    packed = gzip.compress(LINES)
    path.write_bytes(packed[:-cut])
    texts = _texts(path)
    assert LINES.startswith(b"".join(texts))
    assert len(texts) > 50_000 * (1 - cut / len(packed)) * 0.8
    if cut <= 8:  # only the checksum is gone
        assert b"".join(texts) == LINES


@pytest.mark.parametrize("tail", [b"\0" * 512, b"no gzip", b"\0" * 20_000 + b"no gzip"])
def test_what_comes_after_the_last_member_ends_the_file(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "a.z3t.gz"
    path.write_bytes(gzip.compress(LINES) + tail)
    assert b"".join(_texts(path)) == LINES


def test_a_long_tail_of_zeros_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.z3t.gz"
    path.write_bytes(gzip.compress(LINES))
    os.truncate(path, limits.PACKED)
    start = time.process_time()
    assert b"".join(_texts(path)) == LINES
    assert time.process_time() - start < 1
    os.truncate(path, limits.PACKED + 1)
    with pytest.raises(InputError, match="larger than a real one can be"):
        _texts(path)


def test_members_without_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.z3t.gz"
    path.write_bytes(gzip.compress(LINES) + gzip.compress(b"") * 500_000)
    start = time.process_time()
    with pytest.raises(InputError, match="more gzip members"):
        _texts(path)
    assert time.process_time() - start < 1


@pytest.mark.parametrize("kind", ["directory", "fifo", "device"])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.z3t"
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    result = subprocess.run(
        [sys.executable, "-m", "z3trace", "show", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert re.fullmatch(rf"z3trace: cannot read {re.escape(str(path))}: .*", line)
