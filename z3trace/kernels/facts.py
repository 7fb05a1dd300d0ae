"""What a built module's debug information tells, kept beside it: reading it in an emulated
guest takes long.

The compiler wrote it, but a stranger's source can make it write anything.
"""

import json
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

from z3trace.errors import InputError, Z3traceError
from z3trace.paths import one_line

if TYPE_CHECKING:
    from z3trace.code.module import ModuleFile

#: Bytes of a module; the largest of the kernel's allocators has a tenth of it with debug
#: information, and reading takes seconds for each MiB.
_LIMIT = 8 << 20
#: Bytes of all lists of ranges, of which the library reads one whole for every entry that
#: has it, and of one string, as of the longest line of options; z3fold has 6 KiB and 757.
_RANGES_LIMIT = 256 << 10
_STRING_LIMIT = 4096


def write(path: Path, sources: Sequence[str], *, timed: bool = False) -> None:
    """Write ``facts.json`` beside the module *path*, built from files of the names *sources*;
    of a *timed* build, of the first of them, with its lock calls.

    InputError if its debug information is packed, or cannot be read.
    """
    if path.stat().st_size > _LIMIT:
        raise InputError(f"{path.name} is larger than {_LIMIT >> 20} MiB")
    try:
        facts = _facts(path, sources, timed=timed)
    except Z3traceError:
        raise
    # Whatever a reader of DWARF trips over, it was the source's doing.
    except Exception as error:
        reason = one_line(error) or type(error).__name__
        raise InputError(f"the debug information of {path.name} is damaged: {reason}") from error
    path.with_name("facts.json").write_text(json.dumps(facts, indent=1))


def _facts(path: Path, sources: Sequence[str], *, timed: bool) -> dict[str, object]:
    from z3trace.code import dwarf
    from z3trace.code.module import DEBUG_BASES, ModuleFile

    module = ModuleFile(path)
    for section in module.elf.iter_sections():
        if section.compressed or section.name.startswith(".zdebug"):
            raise InputError(f"{path.name} has packed debug information")
        is_ranges = section.name in (".debug_ranges", ".debug_rnglists")
        if is_ranges and section.data_size > _RANGES_LIMIT:
            raise InputError(f"{path.name} has more than {_RANGES_LIMIT >> 10} KiB of ranges")
        strings = section.data() if section.name in (".debug_str", ".debug_line_str") else b""
        if max(map(len, strings.split(b"\0"))) > _STRING_LIMIT:
            raise InputError(f"{path.name} has debug information of endless names")
    named = {
        DEBUG_BASES[site.section] + site.offset: f"{site.section}+{site.offset:#x}"
        for site in module.sites
    }
    places = dwarf.places(module.elf, set(named))
    facts: dict[str, object] = {
        "structs": dwarf.structs(module.elf, sources),
        "places": {
            named[offset]: [place.file, place.line, place.chain]
            for offset, place in sorted(places.items())
        },
    }
    if timed:
        facts["calls"] = _calls(module, sources[0])
    return facts


def _calls(module: "ModuleFile", source: str) -> list[tuple[object, ...]]:
    """The rows of ``code.module.TimedCallFact``."""
    from z3trace.code import expressions
    from z3trace.code.dwarftypes import DwarfTypes

    types = DwarfTypes(module.elf)
    rows = []
    for call in module.timed_calls(source):
        named = expressions.resolve(call.expression, call.function, types)
        rows.append((*astuple(call), *astuple(named)))
    return rows
