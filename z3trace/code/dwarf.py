"""What a built module's DWARF tells: member offsets, and where a call site stands in the source."""

import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from z3trace.code.lockfunctions import LOCK_HELPER


@dataclass(frozen=True)
class Place:
    """A place in the source: *chain* goes from the function in the symbol table to
    the innermost function inlined there; file and line are where the lock is
    taken in the innermost of them that is no mere lock helper."""

    file: str
    line: int
    chain: tuple[str, ...]


def _files(info: Any, unit: Any) -> dict[int, str]:
    program = info.line_program_for_CU(unit)
    if program is None:
        return {}
    first = 0 if program["version"] >= 5 else 1
    return {i + first: entry.name.decode() for i, entry in enumerate(program["file_entry"])}


def structs(elf: Any, source: str) -> dict[str, dict[str, int]]:
    """Structure -> member -> offset in bytes, of structures declared in *source*."""
    structures: dict[str, dict[str, int]] = {}
    info = elf.get_dwarf_info()
    for unit in info.iter_CUs():
        files = _files(info, unit)
        for die in unit.get_top_DIE().iter_children():
            name = die.attributes.get("DW_AT_name")
            declared = die.attributes.get("DW_AT_decl_file")
            if die.tag != "DW_TAG_structure_type" or not name or not declared:
                continue
            if files.get(declared.value) == source:
                structures[name.value.decode()] = _members(die)
    return structures


def _members(die: Any) -> dict[str, int]:
    members = {}
    for child in die.iter_children():
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


def _ranges(info: Any, unit: Any, die: Any) -> Iterator[tuple[int, int]]:
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
    base = 0
    for entry in entries:
        if hasattr(entry, "base_address"):
            base = entry.base_address
        else:
            shift = 0 if getattr(entry, "is_absolute", False) else base
            yield shift + entry.begin_offset, shift + entry.end_offset


def _inlined(die: Any) -> Iterator[Any]:
    """Inlined calls right below *die*, through lexical blocks."""
    for child in die.iter_children():
        if child.tag == "DW_TAG_inlined_subroutine":
            yield child
        elif child.tag == "DW_TAG_lexical_block":
            yield from _inlined(child)


def _descend(  # noqa: PLR0913 - the state of one walk
    info: Any,
    unit: Any,
    die: Any,
    offsets: list[int],
    chain: list[tuple[str, int, int]],
    chains: dict[int, list[tuple[str, int, int]]],
) -> None:
    """Note for every offset inside *die* its chain of (function, call file, call line)."""
    inside: list[int] = []
    for begin, end in _ranges(info, unit, die):
        inside += offsets[bisect.bisect_left(offsets, begin) : bisect.bisect_left(offsets, end)]
    if not inside:
        return
    inside.sort()
    for offset in inside:
        if len(chain) >= len(chains.get(offset, [])):
            chains[offset] = chain
    for child in _inlined(die):
        call_file = child.attributes.get("DW_AT_call_file")
        call_line = child.attributes.get("DW_AT_call_line")
        name = _name(child)
        if chain and chain[-1][0] == name:  # a function split by the compiler
            _descend(info, unit, child, inside, chain, chains)
            continue
        step = (name, call_file.value if call_file else 0, call_line.value if call_line else 0)
        _descend(info, unit, child, inside, [*chain, step], chains)


def places(elf: Any, offsets: set[int]) -> dict[int, Place]:
    """Source places of offsets in ``.text``."""
    ordered = sorted(offsets)
    known: dict[int, Place] = {}
    info = elf.get_dwarf_info()
    for unit in info.iter_CUs():
        files = _files(info, unit)
        for die in unit.get_top_DIE().iter_children():
            chains: dict[int, list[tuple[str, int, int]]] = {}
            if die.tag == "DW_TAG_subprogram":
                _descend(info, unit, die, ordered, [], chains)
            for offset, chain in chains.items():
                known[offset] = _place(_name(die), chain, files)
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
