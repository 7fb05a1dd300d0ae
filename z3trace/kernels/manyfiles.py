"""A module of several files, which a Makefile of its own tree puts together.

The Makefile is a stranger's program: it is read here for the one line that says what the
module is made of, and runs in the box only.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from z3trace.errors import InputError
from z3trace.printable import visible

#: In this order, as the kernel's build looks for them.
MAKEFILES = ("Kbuild", "Makefile")
#: As which the tree's own is handed on: ours is the one that the kernel's build finds.
OWN = "Makefile.own"
_KINDS = (".c", ".h", ".S", ".inc", ".asn1", ".uc")
_MOST_FILES = 300
_MOST_BYTES = 16 << 20
_PARTS = r"(?m)^[ \t]*({name})-(?:objs|y|m|\$\([A-Za-z0-9_]+\))[ \t]*[:+]?="
_ONE = r"(?m)^[ \t]*obj-(?:m|y|\$\([A-Za-z0-9_]+\))[ \t]*[:+]?=.*?(?<![A-Za-z0-9_/-])({name})\.o\b"


def made_of_many(text: bytes, module: str, *, alone: bool) -> str:
    """What the Makefile *text* calls the *module*, if it is for the Makefile to say what that
    is made of: of several files, or *alone*, which is not in a kernel's tree.  Else empty."""
    content = text.decode("latin-1").replace("\\\n", " ")
    name = re.escape(module).replace("_", "[-_]")
    found = re.search(_PARTS.format(name=name), content)
    if not found and alone:
        found = re.search(_ONE.format(name=name), content)
    return found[1] if found else ""


def belongs(path: str, directory: str) -> bool:
    """Whether the file *path* may be needed to build what is in *directory*."""
    pure = PurePosixPath(path)
    inside = not directory or path.startswith(f"{directory}/")
    named = pure.name in (*MAKEFILES, "Kconfig") or pure.suffix in _KINDS
    return inside and named and ".." not in pure.parts and not pure.is_absolute()


def gathered(names: Iterable[str], look: Callable[[str], bytes | None]) -> dict[str, bytes]:
    """The files *names*; InputError if they are too many or too large for a module."""
    found: dict[str, bytes] = {}
    size = 0
    for name in names:
        content = look(name)
        if content is None:
            continue
        found[name] = content
        size += len(content)
        if len(found) > _MOST_FILES or size > _MOST_BYTES:
            where = visible(name.rpartition("/")[0])
            raise InputError(f"{where or 'the tree'} has more files than a module has")
    return found


def joined(directory: str, name: str) -> str:
    return f"{directory}/{name}" if directory else name


def kbuild(name: str, flags: str) -> str:
    """What the kernel's build is told: all that the tree's own Makefile says, and of what
    that builds this module alone."""
    return (
        f"include $(src)/{OWN}\n"
        f"obj-m := {name}.o\n"
        "obj-y :=\nlib-m :=\nlib-y :=\nextra-y :=\nalways-y :=\nalways-m :=\n"
        "hostprogs-always-y :=\nuserprogs-always-y :=\nsubdir-y :=\nsubdir-m :=\n"
        f"ccflags-y += {flags}\n"
    )
