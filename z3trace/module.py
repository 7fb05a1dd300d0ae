"""A module's file: functions, lock call sites, build id; and where it is loaded.

Relocations against the lock functions list every lock call site exactly; the
instruction before the relocated word tells a call from a tail jump.
"""

import bisect
import json
import lzma
import re
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

from z3trace import tools
from z3trace.dwarf import Place
from z3trace.errors import CannotTraceError, InputError, Z3traceError

Action = Literal["acquire", "try", "release"]
Kind = Literal["spin", "read", "write"]

_LOCK_FUNCTION = re.compile(
    r"_raw_(?P<kind>spin|read|write)_(?P<verb>lock|trylock|unlock)"
    r"(_bh|_irq|_irqsave|_irqrestore|_nested|_irqsave_nested)?"
)
_SECTIONS = (".text", ".text.unlikely", ".text.hot", ".noinstr.text")
_SIZE_LIMIT = 256 << 20


@dataclass(frozen=True)
class Site:
    """A lock call site; *offset* and *after* are in the section, in bytes."""

    number: int
    section: str
    offset: int
    after: int
    function: str
    function_offset: int
    lock_function: str
    action: Action
    kind: Kind
    tail: bool

    def place(self, module: str, *, after: bool = False) -> str:
        """The call instruction, or the one after it, as a kprobe event names it."""
        offset = self.function_offset + (self.after - self.offset if after else 0)
        return f"{module}:{self.function}+{offset}"


def _action(verb: str) -> Action:
    return "release" if verb == "unlock" else "try" if verb == "trylock" else "acquire"


class ModuleFile:
    """A ``.ko`` file, packaged or built."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name.split(".ko")[0].replace("-", "_")
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
        found: dict[str, tuple[str, int]] = {}
        for symbol in table.iter_symbols():
            index = symbol["st_shndx"]
            if symbol["st_info"]["type"] == "STT_FUNC" and isinstance(index, int):
                if symbol.name in found:
                    self.ambiguous.add(symbol.name)
                section = self.elf.get_section(index).name
                found[symbol.name] = (section, int(symbol["st_value"]))
        return found

    @cached_property
    def _starts(self) -> dict[str, list[tuple[int, str]]]:
        starts: dict[str, list[tuple[int, str]]] = {}
        for name, (section, offset) in self.functions.items():
            starts.setdefault(section, []).append((offset, name))
        return {section: sorted(pairs) for section, pairs in starts.items()}

    def _function_at(self, section: str, offset: int) -> tuple[str, int]:
        pairs = self._starts.get(section, [])
        at = bisect.bisect_right(pairs, (offset, "\uffff")) - 1
        return (pairs[at][1], offset - pairs[at][0]) if at >= 0 else (section, offset)

    @cached_property
    def sites(self) -> list[Site]:
        """Every lock call site in the module's ordinary text, in order."""
        found: list[Site] = []
        table = self.elf.get_section_by_name(".symtab")
        for section in _SECTIONS:
            text = self.elf.get_section_by_name(section)
            relocations = self.elf.get_section_by_name(f".rela{section}")
            if text is None or relocations is None:
                continue
            code = text.data()
            for relocation in relocations.iter_relocations():
                lock_function = table.get_symbol(relocation["r_info_sym"]).name
                match = _LOCK_FUNCTION.fullmatch(lock_function)
                at = int(relocation["r_offset"])
                if match and at:
                    found.append(self._site(len(found), section, code, at, match))
        return found

    def _site(self, number: int, section: str, code: bytes, at: int, match: re.Match[str]) -> Site:
        conditional = at >= 2 and code[at - 2] == 0x0F and code[at - 1] & 0xF0 == 0x80
        start = at - 2 if conditional else at - 1
        function, function_offset = self._function_at(section, start)
        return Site(
            number=number,
            section=section,
            offset=start,
            after=at + 4,
            function=function,
            function_offset=function_offset,
            lock_function=match.group(0),
            action=_action(match["verb"]),
            kind=match["kind"],  # type: ignore[arg-type]
            tail=code[start] != 0xE8,
        )

    @cached_property
    def build_id(self) -> str:
        section = self.elf.get_section_by_name(".note.gnu.build-id")
        return section.data()[16:].hex() if section is not None else ""

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


class LoadedModule:
    """The addresses of a module that is loaded now."""

    def __init__(self, name: str) -> None:
        self.directory = Path("/sys/module") / name
        if not self.directory.exists():
            raise CannotTraceError(
                f"module {name} is not loaded",
                f"'modprobe {name}' loads it, or name a file with --module",
            )

    def address(self, section: str, offset: int) -> int:
        """Address of a place in a section; CannotTraceError if the kernel hides it."""
        path = self.directory / "sections" / section
        try:
            base = int(path.read_text(), 16)
        except OSError as error:
            raise CannotTraceError(
                f"cannot read {path}: {error.strerror}", "run as root"
            ) from error
        if not base:
            raise CannotTraceError(f"{path} hides the address", "run as root")
        return base + offset

    def build_id(self) -> str:
        try:
            return (self.directory / "notes/.note.gnu.build-id").read_bytes()[16:].hex()
        except OSError:
            return ""

    def source_version(self) -> str:
        try:
            return (self.directory / "srcversion").read_text().strip()
        except OSError:
            return ""


def packaged_file(name: str) -> Path:
    """The file that modprobe would load for *name* in the running kernel."""
    try:
        return Path(tools.run(["modinfo", "-n", name]).strip())
    except Z3traceError as error:
        raise CannotTraceError(f"the running kernel has no module file for {name}") from error


def check_same(file: ModuleFile, loaded: LoadedModule) -> None:
    """CannotTraceError if *file* is not what is loaded."""
    there = loaded.build_id()
    if there and file.build_id and there != file.build_id:
        raise CannotTraceError(
            f"{file.path} is not the {file.name} that is loaded",
            "name the right file with --module, or load this one",
        )
