"""What a variant is: a name for a list of patches on a target's packaged source.

A variant is shipped in ``testbed/variants`` (a TOML file that lists patches), a file
like it, or ``stock``, the source as packaged; each with any further patches on top.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from z3trace import paths
from z3trace.errors import InputError, UsageError
from z3trace.kernels import handed
from z3trace.printable import visible

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
    #: Patch -> the function that it is for: without it in the source the patch is left out.
    only_with: Mapping[Path, str] = field(default_factory=dict)
    #: The function that the variant as a whole is for; empty: it is for every source.
    needs: str = ""
    #: How many of the patches are not needed where the packaged source has the text
    #: *packaged_if*: it is so already.
    own: int = 0
    packaged_if: str = ""
    #: What it has in the place of the kernel's own: path in its tree -> content.
    files: Mapping[str, bytes] = field(default_factory=dict)
    #: What its own Makefile calls a module of several of these files; empty: it is of one.
    many: str = ""

    def of(self, source: bytes) -> "Variant":
        """This variant of the packaged *source*: without the patches that it does not need."""
        if not self.packaged_if or self.packaged_if.encode() not in source:
            return self
        return replace(self, patches=self.patches[self.own :])

    def fits(self, source: bytes) -> bool:
        """Whether *source* has the function that this variant is for."""
        return not self.needs or _defines(source, self.needs)

    def fitting(self, source: bytes) -> tuple["Variant", list[Path]]:
        """This variant for *source*, without the patches of which the function is not in
        it; and these patches."""
        idle = [patch for patch, name in self.only_with.items() if not _defines(source, name)]
        kept = tuple(patch for patch in self.patches if patch not in idle)
        return replace(self, patches=kept), idle


def _defines(source: bytes, function: str) -> bool:
    """A definition stands at the beginning of a line; comments name functions too."""
    pattern = rf"^\w[\w \t*]*\b{function}\("
    return bool(re.search(pattern, source.decode(errors="replace"), re.MULTILINE))


def shipped(target: str = "") -> dict[str, str]:
    """Name and description of every variant in testbed/variants, or of those of a target."""
    files = sorted((paths.testbed() / "variants").glob("*.toml"))
    data = {path.stem: tomllib.loads(path.read_text()) for path in files}
    return {
        name: str(each["description"])
        for name, each in data.items()
        if target in ("", each.get("target"))
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
    name: str,
    patches: Sequence[Path] = (),
    fuzz: int = 0,
    defines: Sequence[str] = (),
    target: str = "",
) -> Variant:
    """The variant called *name* (shipped, a TOML file, or ``stock``) plus *patches*.

    UsageError if there is none, or if it is of another target than *target*.
    """
    if name == "stock":
        return Variant(_name("stock", patches), "", tuple(patches), (), fuzz, tuple(defines))
    path = Path(name) if name.endswith(".toml") else paths.testbed() / "variants" / f"{name}.toml"
    if not path.is_file():
        raise UsageError(f"there is no variant {name!r}", _there_are(target))
    data = paths.read_toml(path, "a variant", _LIMIT)
    listed = _listed(path, data)
    of = data.get("target", target)
    if target and of != target:
        raise UsageError(
            f"variant {name} is for {_shown(of)}, not for {target}", _there_are(target)
        )
    return Variant(
        _name(path.stem, patches),
        str(data.get("description", "")),
        (*listed, *patches),
        _headers(path, data),
        fuzz,
        tuple(defines),
        _only_with(path, data),
        _function(path, "needs", data["needs"]) if "needs" in data else "",
        len(listed),
        str(data.get("packaged_if", "")),
    )


def _shown(name: object) -> str:
    """What a stranger's file says, short and on one line."""
    return visible(str(name)[:64])


def _there_are(target: str) -> str:
    known = ", ".join(["stock", *shipped(target)])
    return f"there are: {known}; or a .toml file"


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


def _only_with(path: Path, data: dict[str, object]) -> dict[Path, str]:
    """The patches of a variant that are for one function, and that function."""
    table = data.get("only_with", {})
    listed = {patch.name: patch for patch in _listed(path, data)}
    if not isinstance(table, dict) or not set(table) <= set(listed):
        raise InputError(f"{path}: only_with must be a table of patches that it lists")
    return {listed[name]: _function(path, "only_with", each) for name, each in table.items()}


def _function(path: Path, key: str, value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z_]\w{0,99}", value):
        raise InputError(f"{path}: {key} names what is no function: {value!r}")
    return value


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
