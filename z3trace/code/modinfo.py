"""What a module says of itself in its section .modinfo: its name, and the kernel it is for."""

import re

from z3trace.code.elf import ObjectFile
from z3trace.errors import InputError

_SECTION = ".modinfo"
_LIMIT = 1 << 20  # bytes of the section
#: As the kernel has it, with the name's dashes written as underscores.
_NAME = re.compile(r"[A-Za-z0-9_]{1,55}")


def of(file: ObjectFile) -> dict[str, str]:
    """Each tag with its first text; empty for a file that says nothing of itself.

    InputError if there is more of it than any module has.
    """
    section = file.section(_SECTION)
    if section is None:
        return {}
    if len(section) > _LIMIT:
        raise InputError(f"a module has no more than {_LIMIT} bytes of {_SECTION}")
    found: dict[str, str] = {}
    for text in bytes(section).split(b"\0"):
        tag, equals, value = text.decode("ascii", "replace").partition("=")
        if equals:
            found.setdefault(tag, value)
    return found


def name(info: dict[str, str]) -> str:
    """The module's name as the kernel has it once it is loaded; empty if it says none.

    InputError for a name that no module has.
    """
    said = info.get("name", "").replace("-", "_")
    if said and not _NAME.fullmatch(said):
        raise InputError(f"a module has no name like {ascii(said)[:80]}")
    return said


def release(info: dict[str, str]) -> str:
    """The kernel's release that the module was built for."""
    return info.get("vermagic", "").partition(" ")[0]


def needs(info: dict[str, str]) -> list[str]:
    """The modules that must be loaded before it."""
    return [each for each in info.get("depends", "").split(",") if _NAME.fullmatch(each)]
