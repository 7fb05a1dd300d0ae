"""The kernel's memory, on ELF core files that the test makes."""

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from z3trace.bpf import kcore
from z3trace.errors import CannotTraceError

TEXT = 0xFFFFFFFF81000000
DATA = 0xFFFF888000000000
_HEADER, _SEGMENT = struct.Struct("<16sHHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ")


def core(segments: list[tuple[int, bytes]]) -> bytes:
    """An ELF core file with memory at each address, as /proc/kcore is one."""
    identity = b"\x7fELF\2\1\1".ljust(16, b"\0")
    start = _HEADER.size
    header = _HEADER.pack(
        *(identity, 4, 62, 1, 0, start, 0, 0, start, _SEGMENT.size, len(segments), 0, 0, 0)
    )
    at = start + _SEGMENT.size * len(segments)
    table, memory = b"", b""
    for address, content in segments:
        size = len(content)
        table += _SEGMENT.pack(1, 7, at + len(memory), address, 0, size, size, 4096)
        memory += content
    return header + table + memory


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "kcore"
    path.write_bytes(core([(DATA, b"data" * 8), (TEXT, bytes(range(256)))]))
    monkeypatch.setattr(kcore, "_KCORE", path)
    kcore._segments.cache_clear()
    yield path
    kcore._segments.cache_clear()


@pytest.mark.usefixtures("file")
def test_ranges_are_read_from_the_segment_that_has_them() -> None:
    read = kcore.read_text({"f": (TEXT + 16, TEXT + 20), "d": (DATA + 4, DATA + 8)})
    assert read == {"f": bytes(range(16, 20)), "d": b"data"}


@pytest.mark.usefixtures("file")
def test_what_is_not_mapped_as_a_whole_is_missing() -> None:
    wanted = {"before": (TEXT - 4, TEXT + 4), "behind": (TEXT + 250, TEXT + 260)}
    assert kcore.read_text({**wanted, "f": (TEXT, TEXT + 1)}) == {"f": b"\0"}


@pytest.mark.usefixtures("file")
def test_a_segments_last_byte_is_read() -> None:
    assert kcore.read_text({"f": (TEXT + 255, TEXT + 256)}) == {"f": b"\xff"}


def test_at_most_64_kib_are_read_of_a_range(file: Path) -> None:
    file.write_bytes(core([(TEXT, bytes(70_000))]))
    assert len(kcore.read_text({"f": (TEXT, TEXT + 70_000)})["f"]) == 65536


def test_a_kernel_that_hides_its_memory_is_said(file: Path) -> None:
    file.unlink()
    with pytest.raises(CannotTraceError, match="cannot read the kernel's text"):
        kcore.read_text({"f": (TEXT, TEXT + 1)})


class _Types:
    """Stands for the kernel's BTF."""

    def __init__(self, page: int) -> None:
        self._page = page

    def size(self, structure: str) -> int:
        return {"page": self._page}.get(structure, 0)

    def close(self) -> None:
        pass


def _symbols(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, page: int = 64) -> None:
    (tmp_path / "kallsyms").write_text(text)
    monkeypatch.setattr(kcore, "_KALLSYMS", tmp_path / "kallsyms")
    monkeypatch.setattr(kcore, "KernelTypes", lambda: _Types(page))


def test_the_memory_map_is_read_from_two_variables(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_bytes(core([(DATA, struct.pack("<QQQ", 1, 0xFFFFEA0000000000, DATA))]))
    _symbols(
        *(tmp_path, monkeypatch),
        f"{DATA + 8:x} D vmemmap_base\n{DATA + 16:x} D page_offset_base\n{DATA:x} d other\n",
    )
    assert kcore.memory_map() == (0xFFFFEA0000000000, DATA)


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize(
    ("symbols", "page", "message"),
    [
        (f"{DATA:x} D vmemmap_base\n", 64, "does not tell"),
        (f"{DATA:x} D vmemmap_base\n{TEXT - 99:x} D page_offset_base\n", 64, "does not tell"),
        ("", 56, "not 64 bytes"),
    ],
)
def test_another_map_of_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, symbols: str, page: int, message: str
) -> None:
    _symbols(tmp_path, monkeypatch, symbols, page)
    with pytest.raises(CannotTraceError, match=message):
        kcore.memory_map()
