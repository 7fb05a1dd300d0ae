"""A module's file: functions, lock call sites, build id.

Relocations against the lock functions list every lock call site exactly; the
instruction before the relocated word tells a call from a tail jump.
"""

import bisect
import re
from array import array
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from z3trace import paths
from z3trace.bpf import btf
from z3trace.code import dwarf, modinfo, packed, timedcalls
from z3trace.code.callsites import Functions, Probe, Site, Start, probes_of
from z3trace.code.disassembly import instructions
from z3trace.code.dwarf import Place
from z3trace.code.elf import ObjectFile
from z3trace.code.function import Function
from z3trace.code.lockfunctions import LOCK_FUNCTIONS, Action, LockFunction
from z3trace.data.timed import LockKind
from z3trace.errors import InputError

_SECTIONS = (".text", ".text.unlikely", ".text.hot", ".noinstr.text")
#: Section of text -> where it begins in the debug information that ``ModuleFile.elf`` reads.
DEBUG_BASES = {name: number << 32 for number, name in enumerate(_SECTIONS)}
#: Sections whose relocations may stand for jumps into the text.
_JUMP_SOURCES = (".text", "__jump_table", "__ex_table", ".rodata", ".init.text", ".exit.text")
#: What is read of a module at most: five times the largest of a distribution.
_MOST_FUNCTIONS = 100_000
_MOST_SITES = 1 << 16
_MOST_INSTRUCTIONS = 200_000
#: Bytes of a file whose debug information is looked into: reading takes seconds for each MiB.
_DEBUG_LIMIT = 8 << 20
_FACTS_LIMIT = 4 << 20
_NOTE_SIZE = 64
_WORD = 4  # bytes that a relocation of a call or a jump fills
_CALL = 0xE8  # opcode
#: What a compiler writes; anything else could be a command where probes are defined.
_FUNCTION_NAME = re.compile(r"[A-Za-z0-9_.$]+")


def build_id_of(note: bytes) -> str:
    """The build id in a note section that holds nothing else: behind three words of
    sizes and type and the name "GNU"."""
    return note[16:].hex()


class TimedCallFact(Struct, frozen=True, array_like=True):
    """A lock call of a timed build, and what its expression comes to: the *member* that it
    ends with, of *structure* if debug information tells; or a variable, if not *is_member*."""

    file: str
    line: int
    function: str
    expression: str
    action: Action
    kind: LockKind
    structure: str
    member: str
    is_member: bool


class Facts(Struct, frozen=True):
    """Member offsets by structure, and source places by ``section+0xoffset``: file, line
    and chain of inlined functions; of a timed build also its lock calls."""

    structs: dict[str, dict[str, int]] = {}
    places: dict[str, tuple[str, int, tuple[str, ...]]] = {}
    calls: list[TimedCallFact] | None = None

    def place(self, site: Site) -> Place:
        return Place(*self.places.get(f"{site.section}+{site.offset:#x}", ("", 0, ())))


class VariantRecord(Struct, frozen=True):
    """Which patches a module was built with."""

    variant: str = ""
    digest: str = ""


_Described = TypeVar("_Described", Facts, VariantRecord)


class ModuleFile:
    """A ``.ko`` file, packaged or built."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.label = str(path)

    @cached_property
    def name(self) -> str:
        """As the kernel has it: what the module says of itself, whatever its file is called."""
        return modinfo.name(self.modinfo) or self.path.name.split(".ko")[0].replace("-", "_")

    @property
    def prefix(self) -> str:
        return f"{self.name}:"

    @cached_property
    def modinfo(self) -> dict[str, str]:
        """See ``modinfo.of``."""
        return modinfo.of(self._object)

    @cached_property
    def _data(self) -> bytes | bytearray:
        return packed.read(self.path)

    @cached_property
    def _object(self) -> ObjectFile:
        return ObjectFile(self._data, str(self.path))

    @cached_property
    def elf(self) -> Any:
        """For its debug information, in which sections of text lie apart: an offset in one is
        at the same distance from ``DEBUG_BASES``."""
        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile

        try:
            return ELFFile(BytesIO(self._object.apart(DEBUG_BASES)))
        except ELFError as error:
            raise InputError(f"{self.path} is not a kernel module: {error}") from error

    def _too_many(self, what: str) -> InputError:
        return InputError(f"{self.path} is no module that can be traced: it has more than {what}")

    @cached_property
    def _starts(self) -> dict[str, list[Start]]:
        """Function name -> where each function of that name begins; InputError for a name
        no compiler writes."""
        starts: dict[str, list[Start]] = {}
        count = 0
        sections = self._object.sections
        for symbol in self._object.symbols():
            if symbol.is_function and 0 < symbol.section < len(sections):
                if not _FUNCTION_NAME.fullmatch(symbol.name):
                    name = ascii(symbol.name)[:100]
                    raise InputError(f"{self.path} has a function of no function's name: {name}")
                start = (sections[symbol.section].name, symbol.value)
                known = starts.setdefault(symbol.name, [])
                if start not in known[:1]:
                    known.append(start)
                count += 1
                if count > _MOST_FUNCTIONS:
                    raise self._too_many(f"{_MOST_FUNCTIONS} functions")
        return starts

    @cached_property
    def functions(self) -> dict[str, Start]:
        """Function name -> where the first function of that name begins."""
        return {name: starts[0] for name, starts in self._starts.items()}

    @cached_property
    def ambiguous(self) -> set[str]:
        """Function names that stand for more than one function in the file."""
        return {name for name, starts in self._starts.items() if len(starts) > 1}

    def starts(self, name: str) -> Sequence[Start]:
        """See ``TargetCode``."""
        return self._starts.get(name, [])

    @property
    def code_sizes(self) -> dict[str, int]:
        """Section of code that stays when the module is loaded -> its size in bytes."""
        return {
            section.name: len(section.data)
            for section in self._object.sections
            if section.is_code and not section.name.startswith(".init")
        }

    def _text(self) -> dict[str, memoryview]:
        """The sections of ordinary text that there are."""
        parts = {name: self._object.section(name) for name in _SECTIONS}
        return {name: code for name, code in parts.items() if code is not None}

    @cached_property
    def _where(self) -> Functions:
        pairs = ((name, start) for name, starts in self._starts.items() for start in starts)
        return Functions(pairs, {name: len(code) for name, code in self._text().items()})

    @cached_property
    def sites(self) -> list[Site]:
        """Every lock call site in the module's ordinary text, in order."""
        called = {
            number: LOCK_FUNCTIONS[symbol.name]
            for number, symbol in enumerate(self._object.symbols())
            if symbol.name in LOCK_FUNCTIONS
        }
        sites: list[Site] = []
        for section, code in self._text().items():
            for at, symbol, _ in self._object.relocations(section):
                if symbol in called and 0 < at <= len(code) - _WORD:
                    sites.append(self._site(len(sites), section, code, at, called[symbol]))
                    if len(sites) > _MOST_SITES:
                        raise self._too_many(f"{_MOST_SITES} lock call sites")
        return sites

    def _site(
        self, number: int, section: str, code: memoryview, at: int, called: LockFunction
    ) -> Site:
        """The site whose relocated word is at *at*: behind one byte of opcode, or two of a
        conditional jump."""
        conditional = at >= 2 and code[at - 2] == 0x0F and code[at - 1] & 0xF0 == 0x80
        offset = at - 2 if conditional else at - 1
        function, start, _ = self._where.at(section, offset)
        where = (section, offset, at + _WORD, function, offset - start)
        return Site(number, *where, called, tail=code[offset] != _CALL)

    @cached_property
    def _jump_targets(self) -> dict[str, "array[int]"]:
        """Section -> offsets in order that something outside a function may jump to."""
        numbers = {self._object.number(name): array("Q") for name in self._text()}
        names = dict.fromkeys(section.name for section in self._object.sections)
        for name in names:
            if not name.startswith(_JUMP_SOURCES):
                continue
            # A branch counts from the end of its word, a pointer does not.
            extra = _WORD if "text" in name else 0
            for _, symbol, addend in self._object.relocations(name):
                section, value = self._object.place(symbol)
                target = value + addend + extra
                if section in numbers and 0 <= target < 1 << 64:
                    numbers[section].append(target)
        return {
            name: array("Q", sorted(numbers[self._object.number(name)])) for name in self._text()
        }

    @cached_property
    def decoded(self) -> dict[Start, Function]:
        """Every function that has lock call sites, decoded."""
        decoded: dict[Start, Function] = {}
        text = self._text()
        relocated = {
            section: array("Q", sorted(at for at, _, _ in self._object.relocations(section)))
            for section in {site.section for site in self.sites}
        }
        steps = 0
        for site in self.sites:
            if site.start in decoded:
                continue
            _, start, end = self._where.at(site.section, site.offset)
            words = frozenset(_between(relocated[site.section], start, end))
            code = bytes(text[site.section][start:end])
            targets = _between(self._jump_targets[site.section], start, end)
            some = islice(instructions(code, start, words), _MOST_INSTRUCTIONS - steps + 1)
            decoded[site.start] = Function(some, targets)
            steps += len(decoded[site.start].code)
            if steps > _MOST_INSTRUCTIONS:
                raise self._too_many(f"{_MOST_INSTRUCTIONS} instructions in functions with locks")
        return decoded

    @cached_property
    def probes(self) -> list[Probe]:
        """Where the probes of the lock call sites stand; see ``placement``."""
        return probes_of(self.sites, self.decoded)

    @cached_property
    def fewer_probes(self) -> list[Probe]:
        """As ``probes``, where waits are seen in the slow paths of the lock functions."""
        return probes_of(self.sites, self.decoded, attempts=False)

    def alone(self, numbers: Collection[int], *, attempts: bool) -> list[Probe]:
        """See ``TargetCode``; *attempts* as in ``callsites.probes_of``."""
        sites = [site for site in self.sites if site.number in numbers]
        return probes_of(sites, self.decoded, share=False, attempts=attempts)

    def timed_calls(self, source: str) -> list[timedcalls.Call]:
        """The lock calls of a timed build of *source*; see ``timedcalls``."""
        return timedcalls.read(self._object, source)

    @cached_property
    def build_id(self) -> str:
        note = self._object.section(".note.gnu.build-id")
        return "" if note is None else build_id_of(bytes(note[:_NOTE_SIZE]))

    @cached_property
    def facts(self) -> "Facts":
        """What was learned from debug information when the module was built."""
        return self._beside("facts.json", Facts)

    def _beside(self, name: str, kind: type[_Described]) -> _Described:
        """What z3trace wrote beside a module that it built; empty for any other module."""
        path = self.path.with_name(name)
        if not path.exists():
            return kind()
        try:
            return msgspec.json.decode(paths.read_bounded(path, _FACTS_LIMIT), type=kind)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise InputError(f"{path} is damaged: {error}") from error

    def members(self, structure: str) -> Mapping[str, int]:
        """Member -> offset in bytes: from what was learned when z3trace built the module, from
        the loaded module's BTF, or from the file's own debug information."""
        if self.facts.structs:
            return self.facts.structs.get(structure, {})
        return btf.members(structure, self.name) or self._debugged(structure)

    def _debugged(self, structure: str) -> Mapping[str, int]:
        """As ``members``, by the file's debug information; empty if that cannot be read."""
        if len(self._data) > _DEBUG_LIMIT:
            return {}
        # A stranger's file can have anything in its place.
        with suppress(Exception):
            return dwarf.members(self.elf, structure)
        return {}

    def source(self, site: Site) -> Place:
        """File, line and inline chain of a call site, as far as they are known."""
        return self.facts.place(site)

    @cached_property
    def variant(self) -> Mapping[str, str]:
        """Name and digest of the variant if z3trace built the module."""
        record = self._beside("variant.json", VariantRecord)
        named = {"variant": record.variant, "digest": record.digest}
        return {key: text for key, text in named.items() if text}


def _between(ordered: "array[int]", start: int, end: int) -> "array[int]":
    """The numbers from *start* to *end*, both included."""
    return ordered[bisect.bisect_left(ordered, start) : bisect.bisect_right(ordered, end)]
