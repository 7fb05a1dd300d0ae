"""A module's file: functions, lock call sites, build id.

Relocations against the lock functions list every lock call site exactly; the
instruction before the relocated word tells a call from a tail jump.
"""

import json
import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

from z3trace.bpf import btf
from z3trace.code.callsites import Functions, Probe, Site, probes_of
from z3trace.code.disassembly import instructions
from z3trace.code.dwarf import Place
from z3trace.code.function import Function
from z3trace.code.lockfunctions import LOCK_FUNCTIONS, LockFunction
from z3trace.errors import InputError

_SECTIONS = (".text", ".text.unlikely", ".text.hot", ".noinstr.text")
#: Sections whose relocations may stand for jumps into the text.
_JUMP_SOURCES = (".text", "__jump_table", "__ex_table", ".rodata", ".init.text", ".exit.text")
_SIZE_LIMIT = 256 << 20
_WORD = 4  # bytes that a relocation of a call or a jump fills
_CALL = 0xE8  # opcode


def build_id_of(note: bytes) -> str:
    """The build id in a note section that holds nothing else: behind three words of
    sizes and type and the name "GNU"."""
    return note[16:].hex()


class ModuleFile:
    """A ``.ko`` file, packaged or built."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.label = str(path)
        self.name = path.name.split(".ko")[0].replace("-", "_")
        self.prefix = f"{self.name}:"
        #: Function names that stand for more than one function in the file.
        self.ambiguous: set[str] = set()

    @cached_property
    def elf(self) -> Any:
        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile

        try:
            if self.path.stat().st_size > _SIZE_LIMIT:
                raise InputError(f"{self.path} is too large for a module")
            data = self.path.read_bytes()
            if self.path.suffix == ".xz":
                data = lzma.decompress(data)
            return ELFFile(BytesIO(data))
        except OSError as error:
            raise InputError(f"cannot read {self.path}: {error.strerror}") from error
        except (ELFError, lzma.LZMAError) as error:
            raise InputError(f"{self.path} is not a kernel module: {error}") from error

    @cached_property
    def functions(self) -> dict[str, tuple[str, int]]:
        """Function name -> (section, offset)."""
        table = self.elf.get_section_by_name(".symtab")
        if table is None:
            raise InputError(f"{self.path} has no symbols")
        functions: dict[str, tuple[str, int]] = {}
        for symbol in table.iter_symbols():
            index = symbol["st_shndx"]
            if symbol["st_info"]["type"] == "STT_FUNC" and isinstance(index, int):
                if symbol.name in functions:
                    self.ambiguous.add(symbol.name)
                section = self.elf.get_section(index).name
                functions[symbol.name] = (section, int(symbol["st_value"]))
        return functions

    @cached_property
    def _where(self) -> Functions:
        ends = {}
        for name in _SECTIONS:
            text = self.elf.get_section_by_name(name)
            if text is not None:
                ends[name] = int(text["sh_size"])
        return Functions(self.functions, ends)

    def _relocations(self, section: str) -> list[tuple[int, Any, int]]:
        """(offset, symbol, addend) of a section's relocations."""
        table = self.elf.get_section_by_name(".symtab")
        relocations = self.elf.get_section_by_name(f".rela{section}")
        if table is None or relocations is None:
            return []
        return [
            (int(entry["r_offset"]), table.get_symbol(entry["r_info_sym"]), int(entry["r_addend"]))
            for entry in relocations.iter_relocations()
        ]

    @cached_property
    def sites(self) -> list[Site]:
        """Every lock call site in the module's ordinary text, in order."""
        sites: list[Site] = []
        for section in _SECTIONS:
            text = self.elf.get_section_by_name(section)
            for at, symbol, _ in self._relocations(section) if text is not None else ():
                called = LOCK_FUNCTIONS.get(symbol.name)
                if called and at:
                    sites.append(self._site(len(sites), section, text.data(), at, called))
        return sites

    def _site(self, number: int, section: str, code: bytes, at: int, called: LockFunction) -> Site:
        """The site whose relocated word is at *at*: behind one byte of opcode, or two of a
        conditional jump."""
        conditional = at >= 2 and code[at - 2] == 0x0F and code[at - 1] & 0xF0 == 0x80
        offset = at - 2 if conditional else at - 1
        function, start, _ = self._where.at(section, offset)
        where = (section, offset, at + _WORD, function, offset - start)
        return Site(number, *where, called, tail=code[offset] != _CALL)

    def _jump_targets(self, section: str) -> set[int]:
        """Offsets in *section* that something outside the function may jump to."""
        index = self.elf.get_section_index(section)
        targets: set[int] = set()
        for other in self.elf.iter_sections():
            if not other.name.startswith(_JUMP_SOURCES):
                continue
            for _, symbol, addend in self._relocations(other.name):
                if symbol["st_shndx"] == index:
                    # A branch counts from the end of its word, a pointer does not.
                    extra = _WORD if "text" in other.name else 0
                    targets.add(int(symbol["st_value"]) + addend + extra)
        return targets

    @cached_property
    def decoded(self) -> dict[str, Function]:
        """Every function that has lock call sites, decoded."""
        decoded: dict[str, Function] = {}
        for section in {site.section for site in self.sites}:
            code = self.elf.get_section_by_name(section).data()
            targets = self._jump_targets(section)
            relocated = frozenset(at for at, _, _ in self._relocations(section))
            for site in self.sites:
                if site.section == section and site.function not in decoded:
                    _, start, end = self._where.at(section, site.offset)
                    code_there = instructions(code[start:end], start, relocated)
                    decoded[site.function] = Function(code_there, targets)
        return decoded

    @cached_property
    def probes(self) -> list[Probe]:
        """Where the probes of the lock call sites stand; see ``placement``."""
        return probes_of(self.sites, self._where, self.decoded)

    @cached_property
    def fewer_probes(self) -> list[Probe]:
        """As ``probes``, where waits are seen in the slow paths of the lock functions."""
        return probes_of(self.sites, self._where, self.decoded, attempts=False)

    @cached_property
    def build_id(self) -> str:
        section = self.elf.get_section_by_name(".note.gnu.build-id")
        return build_id_of(section.data()) if section is not None else ""

    @cached_property
    def facts(self) -> "Facts":
        """What was learned from debug information when the module was built."""
        path = self.path.with_name("facts.json")
        if not path.exists():
            return Facts({}, {})
        data = json.loads(path.read_bytes())
        places = {
            key: Place(str(file), int(line), tuple(chain))
            for key, (file, line, chain) in data["places"].items()
        }
        return Facts(data["structs"], places)

    def members(self, structure: str) -> Mapping[str, int]:
        """Member -> offset in bytes, from debug information or the loaded module's BTF."""
        if self.facts.structs:
            return self.facts.structs.get(structure, {})
        return btf.members(structure, self.name)

    def source(self, site: Site) -> Place:
        """File, line and inline chain of a call site, as far as they are known."""
        return self.facts.place(site)

    @cached_property
    def variant(self) -> dict[str, str]:
        """Name and digest of the variant if z3trace built the module."""
        path = self.path.with_name("variant.json")
        return json.loads(path.read_bytes()) if path.exists() else {}


@dataclass(frozen=True)
class Facts:
    """Member offsets by structure, and source places by ``section+0xoffset``."""

    structs: dict[str, dict[str, int]]
    places: dict[str, Place]

    def place(self, site: Site) -> Place:
        return self.places.get(f"{site.section}+{site.offset:#x}", Place("", 0, ()))
