"""Modules made to eat memory and time: each is refused or read within bounds."""

import gzip
import lzma
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest
import zstandard

from z3trace.code.module import ModuleFile
from z3trace.errors import InputError

_MEMORY = 500 << 20  # bytes
_SECONDS = 5.0  # of processor time
_READ = """
import sys, time
from pathlib import Path
from z3trace.code.module import ModuleFile
from z3trace.errors import InputError
file = ModuleFile(Path(sys.argv[1]))
try:
    print(len(file.sites), len(file.probes), len(file.fewer_probes), len(file.functions))
    print(file.build_id, len(file.variant), [file.source(site).file for site in file.sites[:1]])
except InputError as error:
    print("refused:", error)
memory = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(memory.split()[1]) << 10, time.process_time())
"""

Sections = Sequence[tuple[str, int, bytes]]
_TEXT = b"\xe8" + bytes(4) + b"\xc3"
_PROGRAM, _SYMBOLS, _STRINGS, _RELOCATIONS = 1, 2, 3, 4
#: Section type -> number of the section that belongs to it, of that it is about, size of an
#: entry; numbers as in ``plain``.
_TABLES = {_SYMBOLS: (3, 1, 24), _RELOCATIONS: (2, 1, 24)}


def _symbol(name: int, *, kind: int = 0, section: int = 0, value: int = 0) -> bytes:
    return struct.pack("<IBBHQQ", name, kind, 0, section, value, 0)


def _relocation(offset: int, symbol: int, addend: int = -4) -> bytes:
    return struct.pack("<QQq", offset, symbol << 32 | 4, addend)


def module(sections: Sections, *, names: bytes | None = None) -> bytes:
    """An object file of these sections (name, type, content), the first of number 1.

    *names* stand in place of the table of their names.
    """
    table = b"\0" + b"".join(name.encode() + b"\0" for name, _, _ in sections) + b".shstrtab\0"
    content = [*sections, (".shstrtab", _STRINGS, table if names is None else names)]
    rows, parts, at, where = [bytes(64)], [b""], 64, 1
    for name, kind, part in content:
        link, info, entry = _TABLES.get(kind, (0, 0, 0))
        rows.append(
            struct.pack("<IIQQQQIIQQ", where, kind, 0, 0, at, len(part), link, info, 1, entry)
        )
        parts.append(part)
        at += len(part)
        where += len(name) + 1
    header = struct.pack(
        *("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 1, 62, 1, 0, 0, at, 0, 64, 0, 0, 64),
        *(len(rows), len(rows) - 1),
    )
    return b"".join([header, *parts, *rows])


def plain(**changed: bytes) -> Sections:
    """A module with one call of _raw_spin_lock; sections *changed* by their names."""
    strings = b"\0_raw_spin_lock\0f\0"
    parts = {
        "text": _TEXT,
        "symtab": bytes(24) + _symbol(1) + _symbol(16, kind=2, section=1),
        "strtab": strings,
        "relatext": _relocation(1, 1),
        **changed,
    }
    return [
        (".text", _PROGRAM, parts["text"]),
        (".symtab", _SYMBOLS, parts["symtab"]),
        (".strtab", _STRINGS, parts["strtab"]),
        (".rela.text", _RELOCATIONS, parts["relatext"]),
    ]


def _millions(count: int) -> bytes:
    return module(
        plain(
            symtab=bytes(24) + (_symbol(1) + _symbol(16, kind=2, section=1)) * (count // 2),
            relatext=_relocation(1, 1) * count,
        )
    )


def _distinct_functions() -> bytes:
    """As many functions as there may be, with names as long as they may be."""
    names = b"\0_raw_spin_lock\0" + b"".join(b"%0500d\0" % n for n in range(100_000))
    symbols = b"".join(_symbol(16 + 501 * n, kind=2, section=1) for n in range(100_000))
    return module(plain(strtab=names, symtab=bytes(24) + _symbol(1) + symbols))


def _long_names() -> bytes:
    """Names without an end: each symbol's would be the whole table."""
    strings = b"\0_raw_spin_lock\0" + b"x" * (20 << 20)
    symbols = b"".join(_symbol(16 + n, kind=2, section=1) for n in range(90_000))
    return module(plain(strtab=strings, symtab=bytes(24) + _symbol(1) + symbols))


def _many_sections() -> bytes:
    """As many as the file's header can say, all of a name without an end."""
    rows = [(".a", _PROGRAM, b"")] * 60_000
    return module([*plain(), *rows], names=b"\0" + b"y" * (4 << 20))


def _overlapping_relocations() -> bytes:
    """Relocations of 7 000 sections, all in the same bytes of the file."""
    more = [(f".rela.rodata{n}", _RELOCATIONS, b"") for n in range(7000)]
    more += [(f".rodata{n}", _PROGRAM, b"") for n in range(7000)]
    data = bytearray(module([*plain(relatext=_relocation(1, 1) * 100_000), *more]))
    (table,) = struct.unpack_from("<Q", data, 40)
    entries = data[table + 4 * 64 + 24 : table + 4 * 64 + 40]  # offset and size
    for row in range(table + 5 * 64, table + 7005 * 64, 64):
        data[row + 24 : row + 40] = entries
    return bytes(data)


def _one_long_function(step: bytes) -> bytes:
    return module(plain(text=_TEXT + step * ((100 << 20) // len(step))))


def _jumps_into_a_function() -> bytes:
    symbols = bytes(24) + _symbol(1) + _symbol(16, kind=2, section=1) + _symbol(0, section=1)
    jumps = b"".join(_relocation(8 * n, 3, n % 1_000_000) for n in range(900_000))
    text = _TEXT + b"\x90" * 1_000_000
    return module([*plain(symtab=symbols, text=text), (".rela.rodata", _RELOCATIONS, jumps)])


def _many_sites() -> bytes:
    """As many call sites as can be traced, in one function."""
    text = b"\xe8\0\0\0\0\x48\x89\xdf" * 8192
    calls = b"".join(_relocation(8 * n + 1, 1) for n in range(8192))
    return module(plain(text=text, relatext=calls))


def _sites_between_instructions() -> bytes:
    return module(
        plain(text=b"\x48\xb8" * 50, relatext=_relocation(4, 1) + _relocation(1 << 40, 1))
    )


HOSTILE: dict[str, Callable[[], bytes]] = {
    "millions of symbols and relocations": lambda: _millions(4_000_000),
    "as many symbols and relocations as are read": lambda: _millions(999_990),
    "long names of many functions": _distinct_functions,
    "names without an end": _long_names,
    "many sections": _many_sections,
    "relocations of many sections in the same bytes": _overlapping_relocations,
    "a function of 100 MiB": lambda: _one_long_function(b"\x90"),
    "a function of calls": lambda: _one_long_function(b"\xe8\0\0\0\0"),
    "jumps to everywhere in a function": _jumps_into_a_function,
    "thousands of call sites in a function": _many_sites,
    "a call site where no instruction begins": _sites_between_instructions,
    "zeros": lambda: b"\x7fELF\2\1\1" + bytes(300 << 20),
}


class Reading:
    """What a process of its own says of a module, and what that cost it."""

    def __init__(self, path: Path) -> None:
        command = [sys.executable, "-c", _READ, str(path)]
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert run.returncode == 0, run.stderr
        *lines, cost = run.stdout.splitlines()
        self.said = "\n".join(lines)
        self.memory, self.seconds = int(cost.split()[0]), float(cost.split()[1])

    def within_bounds(self) -> None:
        assert self.memory < _MEMORY, f"{self.memory >> 20} MiB"
        assert self.seconds < _SECONDS


def _read(path: Path, content: bytes) -> Reading:
    path.write_bytes(content)
    return Reading(path)


def test_the_builder_makes_a_module(tmp_path: Path) -> None:
    assert _read(tmp_path / "m.ko", module(plain())).said.startswith("1 2 2 1\n")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_module_is_bounded(tmp_path: Path, name: str) -> None:
    reading = _read(tmp_path / "m.ko", HOSTILE[name]())
    reading.within_bounds()
    assert "m.ko" in reading.said or reading.said.startswith(("0 ", "1 ", "8192 "))


@pytest.mark.parametrize(
    "name", [b"f+0\np:evil/lock vfs_read", b"f g", b"f\t", b"f\x1b[2J", b"f\xff", b"f:g", b""]
)
def test_a_function_of_no_functions_name_is_refused(tmp_path: Path, name: bytes) -> None:
    """It would go into the list of kprobe events as it is."""
    path = tmp_path / "m.ko"
    path.write_bytes(module(plain(strtab=b"\0_raw_spin_lock\0" + name + b"\0")))
    with pytest.raises(InputError, match="has a function of no function's name: '") as raised:
        _ = ModuleFile(path).functions
    assert str(raised.value).isprintable()


_PACKS = {
    "xz": partial(lzma.compress, preset=0),
    "gz": gzip.compress,
    "zst": zstandard.compress,
}


@pytest.mark.parametrize("suffix", _PACKS)
def test_a_small_file_that_unpacks_to_much_is_refused(tmp_path: Path, suffix: str) -> None:
    content = _PACKS[suffix](bytes(300 << 20))
    assert len(content) < 1 << 20
    reading = _read(tmp_path / f"m.ko.{suffix}", content)
    reading.within_bounds()
    assert reading.said == f"refused: {tmp_path}/m.ko.{suffix} holds more than 256 MiB"


def test_a_small_file_with_millions_of_entries_is_refused(tmp_path: Path) -> None:
    content = lzma.compress(_millions(4_000_000), preset=1)
    assert len(content) < 1 << 20
    reading = _read(tmp_path / "m.ko.xz", content)
    reading.within_bounds()
    assert "more than 1000000 symbols" in reading.said


def test_a_dictionary_that_would_take_gigabytes_is_refused(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": 1 << 30}]
    content = lzma.compress(module(plain()), filters=filters)
    reading = _read(tmp_path / "m.ko.xz", content)
    reading.within_bounds()
    assert "m.ko.xz is damaged" in reading.said


def test_a_window_that_would_take_gigabytes_is_refused(tmp_path: Path) -> None:
    settings = zstandard.ZstdCompressionParameters(window_log=30, write_content_size=False)
    packer = zstandard.ZstdCompressor(compression_params=settings).compressobj()
    content = packer.compress(module(plain())) + packer.flush()
    reading = _read(tmp_path / "m.ko.zst", content)
    reading.within_bounds()
    assert "m.ko.zst is damaged" in reading.said


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 1_000_000,
        b'{"structs": ' * 100_000,
        b'{"places": {"a": [1, 2, 3]}}',
        b'{"structs": {"a": {"b": 1e999}}}',
        b'{"structs": {"a": {"b": ' + b"9" * 5000 + b"}}}",
        b"\xff\xfe",
        b" " * (5 << 20),
    ],
)
def test_damaged_facts_are_said_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "facts.json").write_bytes(content)
    reading = _read(tmp_path / "m.ko", module(plain()))
    reading.within_bounds()
    (_, refusal) = reading.said.splitlines()
    assert refusal.startswith("refused: ")
    assert "facts.json" in refusal


@pytest.mark.parametrize("name", ["facts.json", "variant.json", "m.ko"])
def test_a_fifo_is_not_waited_for(tmp_path: Path, name: str) -> None:
    (tmp_path / "m.ko").write_bytes(module(plain()))
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    assert f"{name}: it is no regular file" in Reading(tmp_path / "m.ko").said
