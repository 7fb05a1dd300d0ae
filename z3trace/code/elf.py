"""The sections, symbols and relocations of an object file that a stranger may have made.

Whatever the file says of itself is held against what it has, and there is an end to how
many sections, symbols and relocations are read.  A general library has neither such
bounds nor the speed: it makes an object of every entry.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from z3trace.errors import InputError

_MOST_SECTIONS = 20_000
MOST_SYMBOLS = 1_000_000
MOST_RELOCATIONS = 1_000_000
_NAME_SIZE = 512  # bytes: KSYM_NAME_LEN

_MAGIC = b"\x7fELF\2\1"  # 64 bits, little-endian
_X86_64 = 62
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QQq")
_NO_BITS = 8  # section type: takes no room in the file
_CODE = 2 | 4  # section flags: it is loaded, and executed
_RESERVED = 0xFF00  # from this section index on, a symbol is in no section
_FUNCTION = 2  # symbol type
_TYPE_MASK = 15


@dataclass(frozen=True)
class Section:
    """*data*: its bytes in the file, none of a section that takes no room there."""

    name: str
    data: memoryview
    is_code: bool = False


@dataclass(frozen=True)
class Symbol:
    """*section*: its number, 0 or without a section of that number if it is in none."""

    name: str
    is_function: bool
    section: int
    value: int


class ObjectFile:
    """An x86-64 object file; InputError, with its *label* and what is wrong, if it is none."""

    def __init__(self, data: bytes | bytearray, label: str) -> None:
        self._data = memoryview(data)
        self._label = label
        #: How many relocations each section has that was asked for.
        self._relocations: dict[str, int] = {}
        if not data.startswith(_MAGIC) or len(data) < _HEADER.size:
            raise self._error("it is no ELF file of 64 bits")
        header = _HEADER.unpack_from(data)
        if header[2] != _X86_64:
            raise self._error("it is not for x86-64")
        at, size, count, names = header[6], *header[11:14]
        if size != _SECTION.size or not 0 < count <= _MOST_SECTIONS or names >= count:
            raise self._error(f"it has no table of 1 to {_MOST_SECTIONS} sections")
        rows = list(_SECTION.iter_unpack(self._part(at, size * count)))
        strings = self._contents(rows[names])
        self.sections = [
            Section(_string(strings, row[0]), self._contents(row), row[2] & _CODE == _CODE)
            for row in rows
        ]
        self._starts = {number: row[4] for number, row in enumerate(rows)}
        self._by_name = {section.name: section for section in reversed(self.sections)}

    def _error(self, what: str) -> InputError:
        return InputError(f"{self._label} is not a kernel module: {what}")

    def _part(self, offset: int, size: int) -> memoryview:
        if offset + size > len(self._data):
            raise self._error("a part of it lies behind its end")
        return self._data[offset : offset + size]

    def _contents(self, row: tuple[int, ...]) -> memoryview:
        kind, offset, size = row[1], row[4], row[5]
        return self._data[:0] if kind == _NO_BITS else self._part(offset, size)

    def section(self, name: str) -> memoryview | None:
        """The bytes of the first section of this name; None if there is none."""
        section = self._by_name.get(name)
        return section.data if section else None

    def number(self, name: str) -> int:
        """The number of the first section of this name, as symbols have it; -1 if none."""
        return next((i for i, one in enumerate(self.sections) if one.name == name), -1)

    @cached_property
    def _symbols(self) -> memoryview:
        table = self.section(".symtab")
        if table is None:
            raise self._error("it has no symbols")
        if len(table) > MOST_SYMBOLS * _SYMBOL.size:
            raise self._error(f"it has more than {MOST_SYMBOLS} symbols")
        return table[: len(table) // _SYMBOL.size * _SYMBOL.size]

    @cached_property
    def _strings(self) -> memoryview:
        return self.section(".strtab") or self._data[:0]

    def symbols(self) -> Iterator[Symbol]:
        """All symbols, in the order of their numbers."""
        strings = self._strings
        for name, info, _, section, value, _ in _SYMBOL.iter_unpack(self._symbols):
            known = section if section < _RESERVED else 0
            is_function = info & _TYPE_MASK == _FUNCTION
            yield Symbol(_string(strings, name), is_function, known, value)

    def place(self, number: int) -> tuple[int, int]:
        """(section number, value) of a symbol."""
        at = number * _SYMBOL.size
        if at >= len(self._symbols):
            raise self._error(f"it has no symbol {number}")
        row = _SYMBOL.unpack_from(self._symbols, at)
        return row[3], row[4]

    def apart(self, bases: Mapping[str, int]) -> bytearray:
        """A copy of the file whose symbols in each named section lie higher by its base.

        In a file that is not linked every section begins at 0, and so its debug information
        cannot tell what is at the same offset of two sections.
        """
        copy = bytearray(self._data)
        table = self._starts[self.number(".symtab")]
        numbers = {self.number(name): base for name, base in bases.items() if base}
        for at in range(0, len(self._symbols), _SYMBOL.size):
            name, info, other, section, value, size = _SYMBOL.unpack_from(self._symbols, at)
            if numbers.get(section):
                moved = (value + numbers[section]) % (1 << 64)
                _SYMBOL.pack_into(copy, table + at, name, info, other, section, moved, size)
        return copy

    def relocations(self, section: str) -> Iterator[tuple[int, int, int]]:
        """(offset, number of the symbol, addend) of each relocation of a section."""
        table = self.section(f".rela{section}")
        if table is None:
            return
        count = len(table) // _RELOCATION.size
        self._relocations[section] = count
        if sum(self._relocations.values()) > MOST_RELOCATIONS:
            raise self._error(f"it has more than {MOST_RELOCATIONS} relocations")
        for offset, info, addend in _RELOCATION.iter_unpack(table[: count * _RELOCATION.size]):
            yield offset, info >> 32, addend


def _string(strings: memoryview, offset: int) -> str:
    """The string at an offset of a table, to its zero or as far as a name may go."""
    return bytes(strings[offset : offset + _NAME_SIZE]).partition(b"\0")[0].decode(errors="replace")
