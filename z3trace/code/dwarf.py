"""What a built module's DWARF tells: member offsets, and where a call site stands in the source.

A stranger's source can have made it: entries may be each other's siblings in a circle, and
share their lists of ranges.  So there is an end to what is read.
"""

import bisect
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from z3trace.code.lockfunctions import LOCK_HELPER
from z3trace.errors import InputError

#: Steps for a module; z3fold takes some ten thousand.
_MOST_STEPS = 500_000
#: Inlined calls and blocks inside each other; the kernel's go to some twenty.
_DEEPEST = 100
#: Letters of names that count as one step, so that all places hold less than 4 MiB.
_LETTERS = 8


class Budget:
    """How many steps are left: entries, ranges, files and chains that are looked at."""

    def __init__(self) -> None:
        self._left = _MOST_STEPS

    def spend(self, steps: int = 1) -> None:
        self._left -= steps
        if self._left < 0:
            raise InputError(f"the debug information takes more than {_MOST_STEPS} steps to read")

    def children(self, die: Any) -> Iterator[Any]:
        for child in die.iter_children():
            self.spend()
            yield child


@dataclass(frozen=True)
class Place:
    """A place in the source: *chain* goes from the function in the symbol table to
    the innermost function inlined there; file and line are where the lock is
    taken in the innermost of them that is no mere lock helper."""

    file: str
    line: int
    chain: tuple[str, ...]


def _files(info: Any, unit: Any, budget: Budget) -> dict[int, str]:
    program = info.line_program_for_CU(unit)
    budget.spend()
    if program is None:
        return {}
    budget.spend(len(program["file_entry"]))
    first = 0 if program["version"] >= 5 else 1
    return {i + first: entry.name.decode() for i, entry in enumerate(program["file_entry"])}


def structs(elf: Any, sources: Collection[str]) -> dict[str, dict[str, int]]:
    """Structure -> member -> offset in bytes, of structures declared in files of the names
    *sources*; InputError if there is too much to read."""
    structures: dict[str, dict[str, int]] = {}
    info, budget = elf.get_dwarf_info(), Budget()
    for unit in info.iter_CUs():
        files = _files(info, unit, budget)
        for die in budget.children(unit.get_top_DIE()):
            name = die.attributes.get("DW_AT_name")
            declared = die.attributes.get("DW_AT_decl_file")
            if die.tag != "DW_TAG_structure_type" or not name or not declared:
                continue
            if files.get(declared.value) in sources:
                structures[name.value.decode()] = _members(die, budget)
    return structures


def members(elf: Any, structure: str) -> dict[str, int]:
    """Member -> offset in bytes of a structure, wherever it is declared; empty if it is not,
    or there is no debug information.  InputError if there is too much to read."""
    if not elf.has_dwarf_info():
        return {}
    budget = Budget()
    for unit in elf.get_dwarf_info().iter_CUs():
        for die in budget.children(unit.get_top_DIE()):
            if die.tag == "DW_TAG_structure_type" and _is_whole(die) and _name(die) == structure:
                return _members(die, budget)
    return {}


def _is_whole(die: Any) -> bool:
    """Whether an entry has its members, and is no mention of a structure alone."""
    return "DW_AT_name" in die.attributes and "DW_AT_declaration" not in die.attributes


def _members(die: Any, budget: Budget) -> dict[str, int]:
    members = {}
    for child in budget.children(die):
        name = child.attributes.get("DW_AT_name")
        at = child.attributes.get("DW_AT_data_member_location")
        if name and at:
            members[name.value.decode()] = int(at.value)
    return members


def _name(die: Any) -> str:
    for _ in range(4):
        name = die.attributes.get("DW_AT_name")
        if name:
            return str(name.value.decode())
        if "DW_AT_abstract_origin" not in die.attributes:
            break
        die = die.get_DIE_from_attribute("DW_AT_abstract_origin")
    return "?"


def _ranges(info: Any, unit: Any, die: Any, budget: Budget) -> Iterator[tuple[int, int]]:
    low = die.attributes.get("DW_AT_low_pc")
    high = die.attributes.get("DW_AT_high_pc")
    if low and high:
        end = high.value if high.form == "DW_FORM_addr" else low.value + high.value
        yield low.value, end
        return
    ranges = die.attributes.get("DW_AT_ranges")
    if not ranges:
        return
    lists = info.range_lists()
    entries = lists.get_range_list_at_offset(ranges.value, unit)
    budget.spend(len(entries))
    base = 0
    for entry in entries:
        if hasattr(entry, "base_address"):
            base = entry.base_address
        else:
            shift = 0 if getattr(entry, "is_absolute", False) else base
            yield shift + entry.begin_offset, shift + entry.end_offset


class _Walk:
    """The walk through one function: *chains* has for every offset its chain of
    (function, call file, call line)."""

    def __init__(self, info: Any, unit: Any, budget: Budget) -> None:
        self._info = info
        self._unit = unit
        self._budget = budget
        self.chains: dict[int, list[tuple[str, int, int]]] = {}

    def _inlined(self, die: Any, depth: int) -> Iterator[tuple[Any, int]]:
        """Inlined calls right below *die*, through lexical blocks, and their depths."""
        if depth > _DEEPEST:
            raise InputError(f"the debug information has more than {_DEEPEST} calls in another")
        for child in self._budget.children(die):
            if child.tag == "DW_TAG_inlined_subroutine":
                yield child, depth + 1
            elif child.tag == "DW_TAG_lexical_block":
                yield from self._inlined(child, depth + 1)

    def _inside(self, die: Any, offsets: list[int]) -> list[int]:
        """Those of *offsets* that are in the ranges of *die*, which may overlap."""
        inside: set[int] = set()
        for begin, end in _ranges(self._info, self._unit, die, self._budget):
            part = offsets[bisect.bisect_left(offsets, begin) : bisect.bisect_left(offsets, end)]
            self._budget.spend(len(part))
            inside.update(part)
        return sorted(inside)

    def descend(
        self, die: Any, offsets: list[int], chain: list[tuple[str, int, int]], depth: int = 0
    ) -> None:
        """Note the chains of *offsets* that are inside *die*."""
        inside = self._inside(die, offsets)
        if not inside:
            return
        for offset in inside:
            if len(chain) >= len(self.chains.get(offset, [])):
                self.chains[offset] = chain
        for child, below in self._inlined(die, depth):
            call_file = child.attributes.get("DW_AT_call_file")
            call_line = child.attributes.get("DW_AT_call_line")
            name = _name(child)
            if chain and chain[-1][0] == name:  # a function split by the compiler
                self.descend(child, inside, chain, below)
                continue
            place = (call_file.value if call_file else 0, call_line.value if call_line else 0)
            self.descend(child, inside, [*chain, (name, *place)], below)


def places(elf: Any, offsets: set[int]) -> dict[int, Place]:
    """Source places of addresses in the text; InputError if there is too much to read."""
    ordered = sorted(offsets)
    known: dict[int, Place] = {}
    info, budget = elf.get_dwarf_info(), Budget()
    for unit in info.iter_CUs():
        files = _files(info, unit, budget)
        for die in budget.children(unit.get_top_DIE()):
            if die.tag != "DW_TAG_subprogram":
                continue
            walk = _Walk(info, unit, budget)
            walk.descend(die, ordered, [])
            for offset, chain in walk.chains.items():
                place = known[offset] = _place(_name(die), chain, files)
                budget.spend(len("".join((place.file, *place.chain))) // _LETTERS)
    return known


def _place(function: str, chain: list[tuple[str, int, int]], files: dict[int, str]) -> Place:
    names = (function, *(name for name, _, _ in chain))
    depth = len(chain)
    while depth > 1 and LOCK_HELPER.search(names[depth - 1]):
        depth -= 1
    if not chain:
        return Place("", 0, names)
    _, file, line = chain[depth - 1]
    return Place(files.get(file, ""), line, names)
