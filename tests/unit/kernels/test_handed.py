"""What is handed over as a patch: files of any name, packed or not, pipes."""

import bz2
import gzip
import lzma
import os
import shutil
import time
from pathlib import Path

import pytest
import zstandard

from z3trace.errors import InputError, UsageError
from z3trace.kernels import handed

TEXT = "--- a/x\n+++ b/x\nä\n"


@pytest.mark.parametrize(
    ("name", "shown", "stem"),
    [
        ("p.patch", "p.patch", "p"),
        ("P.PATCH.GZ", "P.PATCH.GZ", "P"),
        ("0001-x.v2.patch", "0001-x.v2.patch", "0001-x.v2"),
        ("series", "series", "series"),
        (".patch", ".patch", ".patch"),
        ("a b (ü) 'q'.mbx", "a b (ü) 'q'.mbx", "a b (ü) 'q'"),
        ("e\x1b[31m.eml", "e\\x1b[31m.eml", "e\\x1b[31m"),
        ("b\udcff.diff", "b\ufffd.diff", "b\ufffd"),
        ("-", "stdin", "stdin"),
        ("/dev/stdin", "stdin", "stdin"),
        ("/dev/fd/63", "pipe", "pipe"),
        ("x" * 250, "x" * 60 + "..." + "x" * 30, "x" * 60 + "..." + "x" * 30),
    ],
)
def test_a_name_is_shown_in_print_and_short(name: str, shown: str, stem: str) -> None:
    assert (handed.shown(Path(name)), handed.stem(Path(name))) == (shown, stem)


@pytest.mark.parametrize(
    ("name", "semantic"),
    [
        *((name, True) for name in ("p.cocci", "P.COCCI", "p.cocci.gz", "p.x.cocci.xz")),
        *((name, False) for name in ("p", "cocci", "p.patch", "p.cocci.d", "cocci.gz", "p.gz")),
    ],
)
def test_a_name_says_that_rules_are_in_it(name: str, semantic: bool) -> None:
    assert handed.is_semantic(Path(name)) == semantic


def test_a_file_may_be_packed_marked_and_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "p"
    packed = gzip.compress(TEXT.encode())
    half = gzip.compress(TEXT[:9].encode()) + gzip.compress(TEXT[9:].encode())
    more = [pack(TEXT.encode()) for pack in (bz2.compress, lzma.compress, zstandard.compress)]
    more.append(zstandard.compress(TEXT[:9].encode()) + zstandard.compress(TEXT[9:].encode()))
    for data in (TEXT.encode(), packed, half, gzip.compress(TEXT.encode("utf-16")), *more):
        path.write_bytes(data)
        assert handed.read(path).decode() == TEXT


DAMAGED = {
    "gzip cut": (gzip.compress(TEXT.encode())[:-9], "packed, and its end is missing"),
    "gzip sum": (gzip.compress(TEXT.encode())[:-4] + b"xxxx", "packed, and damaged"),
    "gzip noise": (b"\x1f\x8b\x08" + b"x" * 99, "packed, and damaged"),
    "gzip mark": (b"\x1f\x8b", "packed, and its end is missing"),
    "bzip2 cut": (bz2.compress(TEXT.encode())[:-9], "packed, and its end is missing"),
    "bzip2 noise": (b"BZh9" + b"x" * 99, "packed, and damaged"),
    "xz cut": (lzma.compress(TEXT.encode())[:-9], "packed, and its end is missing"),
    "xz noise": (b"\xfd7zXZ\0" + b"x" * 99, "packed, and damaged"),
    "zstd cut": (zstandard.compress(TEXT.encode() * 999)[:-9], "packed, and its end is missing"),
    "zstd noise": (b"\x28\xb5\x2f\xfd" + b"x" * 99, "packed, and damaged"),
    "utf-16 half": (b"\xff\xfea", "begins as utf-16 and is none"),
    "utf-16 surrogate": (b"\xff\xfe\0\xd8", "begins as utf-16 and is none"),
    "utf-32 noise": (b"\xff\xfe\0\0\xff\xff\xff\xff", "begins as utf-32 and is none"),
    "utf-8 noise": (b"\xef\xbb\xbf\xff", "begins as utf-8-sig and is none"),
    "large": (b"x" * (handed.LIMIT + 1), "is larger than 4194304 bytes"),
}


@pytest.mark.parametrize("kind", sorted(DAMAGED))
def test_what_is_damaged_is_said(kind: str, tmp_path: Path) -> None:
    data, reason = DAMAGED[kind]
    path = tmp_path / "p.patch"
    path.write_bytes(data)
    with pytest.raises(InputError) as raised:
        handed.read(path)
    assert reason in str(raised.value)


def test_a_small_file_does_not_unpack_to_a_large_one(tmp_path: Path) -> None:
    zeros = b"\0" * (9 << 20)
    packs = (gzip.compress, bz2.compress, zstandard.compress)
    for pack in (*packs, lambda data: lzma.compress(data, preset=0)):
        (tmp_path / "p.gz").write_bytes(pack(zeros))
        began = time.process_time()
        with pytest.raises(InputError, match="larger than 4194304 bytes when unpacked"):
            handed.read(tmp_path / "p.gz")
        assert time.process_time() - began < 1


def test_an_archive_is_refused_by_its_kind(tmp_path: Path) -> None:
    """Which of its files are meant, and in which order, nobody has said."""
    patch = tmp_path / "1.patch"
    patch.write_text(TEXT)
    made = {}
    for kind in ("zip", "tar"):
        made[kind] = Path(shutil.make_archive(str(tmp_path / "p"), kind, tmp_path, patch.name))
    (tmp_path / "p.tar.gz").write_bytes(gzip.compress(made["tar"].read_bytes()))
    for kind, path in (*made.items(), ("tar", tmp_path / "p.tar.gz")):
        with pytest.raises(InputError, match=rf"is an archive \({kind}\)") as raised:
            handed.read(path)
        assert "unpack it" in raised.value.hint


def test_a_pipe_is_read_to_its_end_once_for_all_builds() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as file:
        file.write(TEXT.encode())
    for _ in range(2):
        assert handed.read(Path(f"/dev/fd/{reading}")).decode() == TEXT
    os.close(reading)
    with pytest.raises(InputError, match="cannot read pipe: Bad file descriptor"):
        handed.read(Path(f"/dev/fd/{reading}"))


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_so_is_standard_input(name: str, tmp_path: Path) -> None:
    (tmp_path / "in").write_text(TEXT)
    before = os.dup(0)
    try:
        with (tmp_path / "in").open("rb") as file:
            os.dup2(file.fileno(), 0)
            assert handed.read(Path(name)).decode() == TEXT
    finally:
        os.dup2(before, 0)
        os.close(before)


def test_a_missing_file_is_the_users_mistake() -> None:
    with pytest.raises(UsageError, match="cannot read the patch /none/x"):
        handed.read(Path("/none/x"))
