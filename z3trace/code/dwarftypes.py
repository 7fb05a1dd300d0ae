"""The types of a source's variables, functions and structures, from debug information.

A stranger's source can have made it: every entry that is looked at costs a step of a
budget, see ``dwarf``.
"""

from collections.abc import Iterator
from typing import Any

from z3trace.code.dwarf import Budget

_SAME = (
    "DW_TAG_typedef",
    "DW_TAG_const_type",
    "DW_TAG_volatile_type",
    "DW_TAG_restrict_type",
    "DW_TAG_atomic_type",
)
_POINTERS = ("DW_TAG_pointer_type", "DW_TAG_array_type")
_STRUCTURES = ("DW_TAG_structure_type", "DW_TAG_union_type")
_VARIABLES = ("DW_TAG_variable", "DW_TAG_formal_parameter")
#: Typedefs of typedefs, and structures without a name in each other.
_DEEPEST = 20


class DwarfTypes:
    """Types of one module; its answers are entries of debug information.

    InputError if there is too much to read.
    """

    def __init__(self, elf: Any) -> None:
        self._budget = Budget()
        self._functions: dict[str, list[Any]] = {}
        self._globals: dict[str, Any] = {}
        self._structures: dict[str, Any] = {}
        #: Function -> variable -> entry of its type, None if it has more than one type.
        self._locals: dict[str, dict[str, Any]] = {}
        for unit in elf.get_dwarf_info().iter_CUs():
            for die in self._budget.children(unit.get_top_DIE()):
                self._note(die)

    def _note(self, die: Any) -> None:
        name = _name(die)
        if not name:
            return
        if die.tag == "DW_TAG_subprogram":
            self._functions.setdefault(name, []).append(die)
        elif die.tag == "DW_TAG_variable":
            self._globals.setdefault(name, die)
        elif die.tag in _STRUCTURES and "DW_AT_declaration" not in die.attributes:
            self._structures.setdefault(name, die)

    def variable(self, function: str, name: str) -> Any | None:
        """The type of a variable or parameter as *function* sees it; None if blocks of the
        function have variables of that name with different types."""
        if function not in self._locals:
            self._locals[function] = self._variables(function)
        if name in self._locals[function]:
            return self._locals[function][name]
        die = self._globals.get(name)
        return None if die is None else self._type(die)

    def result(self, function: str) -> Any | None:
        """The type of what a function returns."""
        for die in self._functions.get(function, []):
            return self._type(die)
        return None

    def structure(self, name: str) -> Any | None:
        return self._structures.get(name)

    def pointed(self, kind: Any) -> Any | None:
        """What a pointer points to, or an array has."""
        bare, _ = self._bare(kind)
        return self._type(bare) if bare is not None and bare.tag in _POINTERS else None

    def member(self, kind: Any, name: str) -> tuple[str, Any | None] | None:
        """Of a member: the structure's name, empty if it has none, and the member's type."""
        bare, called = self._bare(kind)
        if bare is None or bare.tag not in _STRUCTURES:
            return None
        called = _name(bare) or called
        whole = self._structures.get(called, bare)
        found = self._find(whole, name, 0)
        return (called, self._type(found)) if found is not None else None

    def _find(self, structure: Any, name: str, depth: int) -> Any | None:
        """A member of a structure, or of one without a name in it."""
        for child in self._budget.children(structure):
            if child.tag != "DW_TAG_member":
                continue
            if _name(child) == name:
                return child
            if not _name(child) and depth < _DEEPEST:
                inner, _ = self._bare(self._type(child))
                if inner is not None and inner.tag in _STRUCTURES:
                    found = self._find(inner, name, depth + 1)
                    if found is not None:
                        return found
        return None

    def _type(self, die: Any) -> Any | None:
        self._budget.spend()
        if "DW_AT_type" not in die.attributes:
            return None
        return die.get_DIE_from_attribute("DW_AT_type")

    def _bare(self, kind: Any | None) -> tuple[Any | None, str]:
        """A type without qualifiers and typedefs, and the last typedef's name."""
        called = ""
        for _ in range(_DEEPEST):
            if kind is None or kind.tag not in _SAME:
                return kind, called
            called = _name(kind) if kind.tag == "DW_TAG_typedef" else called
            kind = self._type(kind)
        return None, ""

    def _variables(self, function: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for die in self._functions.get(function, []):
            for variable in self._inside(die, 0):
                name, kind = _name(variable), self._type(variable)
                if not name or kind is None:
                    continue
                same = name not in found or (
                    found[name] is not None and found[name].offset == kind.offset
                )
                found[name] = kind if same else None
        return found

    def _inside(self, die: Any, depth: int) -> Iterator[Any]:
        """Variables of a function, those of its blocks included."""
        for child in self._budget.children(die):
            if child.tag in _VARIABLES:
                yield child
            elif child.tag == "DW_TAG_lexical_block" and depth < _DEEPEST:
                yield from self._inside(child, depth + 1)


def _name(die: Any) -> str:
    name = die.attributes.get("DW_AT_name")
    return name.value.decode(errors="replace") if name else ""
