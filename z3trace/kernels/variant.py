"""What a variant is: a name for a list of patches on a target's packaged source.

A variant is shipped in ``testbed/variants`` (a TOML file that lists patches), a file
like it, or ``stock``, the source as packaged; each with any further patches on top.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from z3trace import paths
from z3trace.errors import InputError, UsageError
from z3trace.kernels import handed

_LIMIT = 64 << 10  # bytes of a variant's file
_LONGEST_NAME = 120  # characters


@dataclass(frozen=True)
class Variant:
    name: str
    description: str
    #: In the order in which they are applied.
    patches: tuple[Path, ...]
    #: Files of testbed that are included before the source.
    headers: tuple[str, ...] = ()
    #: Lines of context that need not fit.
    fuzz: int = 0
    #: Virtual rules of semantic patches that are chosen, such as ``patch``.
    defines: tuple[str, ...] = ()
    #: What it has in the place of the kernel's own: path in its tree -> content.
    files: Mapping[str, bytes] = field(default_factory=dict)


def shipped() -> dict[str, str]:
    """Name and description of every variant in testbed/variants."""
    return {
        path.stem: str(tomllib.loads(path.read_text())["description"])
        for path in sorted((paths.testbed() / "variants").glob("*.toml"))
    }


def _name(base: str, patches: Sequence[Path]) -> str:
    """A name that labels, files and tables have room for."""
    names = [base, *(handed.stem(patch) for patch in patches)]
    whole = "+".join(names)
    if len(whole) <= _LONGEST_NAME:
        return whole
    more = f"+{len(patches) - 1} more" if len(patches) > 1 else ""
    return "+".join(names[:2])[: _LONGEST_NAME - len(more)] + more


def load(
    name: str, patches: Sequence[Path] = (), fuzz: int = 0, defines: Sequence[str] = ()
) -> Variant:
    """The variant called *name* (shipped, a TOML file, or ``stock``) plus *patches*."""
    if name == "stock":
        return Variant(_name("stock", patches), "", tuple(patches), (), fuzz, tuple(defines))
    path = Path(name) if name.endswith(".toml") else paths.testbed() / "variants" / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(["stock", *shipped()])
        raise UsageError(f"there is no variant {name!r}", f"there are: {known}; or a .toml file")
    data = paths.read_toml(path, "a variant", _LIMIT)
    return Variant(
        _name(path.stem, patches),
        str(data.get("description", "")),
        (*_listed(path, data), *patches),
        _headers(path, data),
        fuzz,
        tuple(defines),
    )


def is_named(name: str) -> bool:
    """Whether *name* is a variant's: shipped, a TOML file, or ``stock``."""
    return name == "stock" or name.endswith(".toml") or name in shipped()


def ours(names: Iterable[str], patches: Sequence[Path]) -> bool:
    """Whether all that *names* and *patches* stand for is shipped: nothing of a stranger."""
    return not patches and set(names) <= {"stock", *shipped()}


def _listed(path: Path, data: dict[str, object]) -> list[Path]:
    """The patches that a variant lists: files beside its own, or below."""
    names = _strings(data.get("patches"))
    if names is None:
        raise InputError(f"{path} is not a variant: patches must be a list of file names")
    home = path.parent.resolve()
    for name in names:
        if not (home / name).resolve().is_relative_to(home):
            raise InputError(f"{path}: the patch {name!r} lies outside of the variant's directory")
    return [path.parent / name for name in names]


def _headers(path: Path, data: dict[str, object]) -> tuple[str, ...]:
    """The headers that a variant includes, of those that lie in testbed; no others."""
    names = _strings(data.get("headers", []))
    known = {header.name for header in paths.testbed().glob("*.h")}
    if names is None or not set(names) <= known:
        raise InputError(f"{path}: headers must be a list of: {', '.join(sorted(known))}")
    return tuple(names)


def _strings(value: object) -> list[str] | None:
    """*value* if it is a list of strings, such as file names are made of."""
    if not isinstance(value, list):
        return None
    names = [name for name in value if isinstance(name, str) and "\0" not in name]
    return names if len(names) == len(value) else None
