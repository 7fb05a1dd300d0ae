"""What a variant is: a name for a list of patches on a target's packaged source.

A variant is shipped in ``testbed/variants`` (a TOML file that lists patches), a file
like it, or ``stock``, the source as packaged; each with any further patches on top.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from z3trace import paths
from z3trace.errors import InputError, UsageError


@dataclass(frozen=True)
class Variant:
    name: str
    description: str
    #: In the order in which they are applied.
    patches: tuple[Path, ...]
    #: Files of testbed that are included before the source.
    headers: tuple[str, ...] = ()


def shipped() -> dict[str, str]:
    """Name and description of every variant in testbed/variants."""
    return {
        path.stem: str(tomllib.loads(path.read_text())["description"])
        for path in sorted((paths.testbed() / "variants").glob("*.toml"))
    }


def _name(base: str, patches: Sequence[Path]) -> str:
    return "+".join([base, *(patch.stem for patch in patches)])


def load(name: str, patches: Sequence[Path] = ()) -> Variant:
    """The variant called *name* (shipped, a TOML file, or ``stock``) plus *patches*."""
    if name == "stock":
        return Variant(_name("stock", patches), "", tuple(patches))
    path = Path(name) if name.endswith(".toml") else paths.testbed() / "variants" / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(["stock", *shipped()])
        raise UsageError(f"there is no variant {name!r}", f"there are: {known}; or a .toml file")
    try:
        data = tomllib.loads(path.read_text())
        listed = tuple(path.parent / str(patch) for patch in data["patches"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a variant: {error}") from error
    return Variant(
        _name(path.stem, patches),
        str(data.get("description", "")),
        (*listed, *patches),
        _headers(path, data),
    )


def _headers(path: Path, data: dict[str, object]) -> tuple[str, ...]:
    """The headers that a variant includes, of those that lie in testbed; no others."""
    names = data.get("headers", [])
    known = {header.name for header in paths.testbed().glob("*.h")}
    if not isinstance(names, list) or not set(names) <= known:
        raise InputError(f"{path}: headers must be a list of: {', '.join(sorted(known))}")
    return tuple(names)
