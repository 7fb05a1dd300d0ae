"""The lock calls of a timed build: what ``testbed/timed/macros.h`` left in its module.

Each call has a descriptor in a section of its own.  The module numbers its calls as they
lie there, and so does this.
"""

import struct
from dataclasses import dataclass
from typing import Final, get_args

from z3trace.code.elf import ObjectFile
from z3trace.code.lockfunctions import Action
from z3trace.data import limits
from z3trace.data.timed import LockKind
from z3trace.errors import InputError

_SECTION = "z3timed.calls"
#: Which the module has if its tables are made: a macro in the place of module_init does it.
_BEGIN = "z3timed_begin"
#: File, function and expression are pointers, that is relocations; then line, kind, action.
_CALL: Final = struct.Struct("<24xIBBxx")
_POINTERS = (0, 8, 16)
#: The order of the numbers in testbed/timed/timed.h.
KINDS: Final[tuple[LockKind, ...]] = get_args(LockKind)
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
#: Letters of a lock's expression that are kept.
_LONGEST = 400


@dataclass(frozen=True)
class Call:
    """A lock call as the preprocessor met it; *file* without its directory."""

    file: str
    line: int
    function: str
    expression: str
    action: Action
    kind: LockKind


def read(module: ObjectFile, source: str) -> list[Call]:
    """The calls of a timed build of *source*, by their numbers.

    InputError if its locks cannot be timed, or if the section is not what we wrote.
    """
    section = module.section(_SECTION)
    if section is None or not any(s.is_function and s.name == _BEGIN for s in module.symbols()):
        raise InputError(f"{source} has no module_init: its locks cannot be timed")
    count, rest = divmod(len(section), _CALL.size)
    if rest:
        raise InputError(f"the lock calls of {source} are damaged")
    if count > limits.SITES:
        raise InputError(f"{source} has {count} lock calls, more than {limits.SITES}")
    texts = {
        at: _text(module, symbol, addend) for at, symbol, addend in module.relocations(_SECTION)
    }
    calls = []
    for number, (line, kind, action) in enumerate(_CALL.iter_unpack(section)):
        file, function, expression = (texts.get(number * _CALL.size + at) for at in _POINTERS)
        if not file or not function or not expression:
            raise InputError(f"the lock calls of {source} are damaged")
        if kind >= len(KINDS) or action >= len(ACTIONS):
            raise InputError(f"the lock calls of {source} are damaged")
        name = file.rpartition("/")[2]
        calls.append(Call(name, line, function, expression, ACTIONS[action], KINDS[kind]))
    return calls


def _text(module: ObjectFile, symbol: int, addend: int) -> str:
    """The string that a relocation points to, as far as it is kept."""
    section, value = module.place(symbol)
    if section >= len(module.sections):
        return ""
    start = value + addend
    data = bytes(module.sections[section].data[start : start + _LONGEST]) if start >= 0 else b""
    return data.partition(b"\0")[0].decode(errors="replace")
