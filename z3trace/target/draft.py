"""Draft a target definition from a module's symbols, BTF and lock call sites."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from z3trace.bpf import layout
from z3trace.bpf.btf import KernelTypes, LockMember
from z3trace.code.module import ModuleFile
from z3trace.errors import CannotTraceError

_CLONE = re.compile(r"\.(cold|part|isra|constprop)\b")


@dataclass(frozen=True)
class Candidate:
    """A function that takes locks: how often, how many arguments, the structure it gets first."""

    function: str
    sites: int
    arguments: int
    structure: str


def candidates(file: ModuleFile, types: KernelTypes) -> list[Candidate]:
    """Functions with lock call sites that a probe can name, those with most first."""
    counted = Counter(site.function for site in file.sites)
    found = [
        Candidate(name, count, types.arguments(name) or 0, types.first_argument(name))
        for name, count in counted.items()
        if not _CLONE.search(name) and types.function(name) and name not in file.ambiguous
    ]
    return sorted(found, key=lambda one: (-one.sites, one.function))


def _word(name: str) -> str:
    return re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")[:32] or "x"


def _pool(members: Sequence[LockMember], found: Sequence[Candidate]) -> str:
    """The structure with locks that most of the likely operations get first; or empty."""
    locked = {one.structure for one in members}
    counted = Counter(
        one.structure for one in found[: layout.OPERATIONS] if one.structure in locked
    )
    return counted.most_common(1)[0][0] if counted else ""


def _operations(found: Sequence[Candidate], pool: str) -> list[str]:
    lines = ["# Up to eight operations; the functions below that take most locks."]
    for number, one in enumerate(found):
        mark = "" if number < layout.OPERATIONS else "# "
        if number == layout.OPERATIONS:
            lines += ["", "# Others:"]
        note = f"  # {one.sites} lock call sites" + (
            f"; first argument struct {one.structure} *" if one.structure else ""
        )
        lines += ["", f"{mark}[operations.{_word(one.function)}]{note}"]
        lines += [f'{mark}functions = ["{one.function}"]']
        if not pool or one.structure != pool:
            lines += [f"{mark}arguments = []"]
    return lines


def _locks(members: Sequence[LockMember], pool: str) -> list[str]:
    rwlocks = [one for one in members if one.kind == "rwlock"]
    lines = [
        "",
        '# Lock classes. "pool": a member of what the operations get as "pool"; the others',
        "# cannot be told from their address, and count as 'other' unless you say how.",
    ]
    used: set[str] = set()
    for one in members:
        if one.structure == pool:
            where = "pool"
        elif one.kind == "rwlock" and len(rwlocks) == 1:
            where = "rwlock"
        else:
            where = ""
        known = bool(where) and len(used) < layout.CLASSES - 1
        mark = "" if known else "# "
        name = _word(f"{one.structure}-{one.member}")
        if known:
            used.add(name)
        lines += ["", f"{mark}[[locks]]", f'{mark}class = "{name}"']
        lines += [f'{mark}struct = "{one.structure}"', f'{mark}member = "{one.member}"']
        lines += [f'{mark}in = "{where or "page"}"']
    return lines


def draft(file: ModuleFile) -> str:
    """A definition in TOML; CannotTraceError if there is nothing to draft it from."""
    try:
        types = KernelTypes(file.name)
    except OSError as error:
        raise CannotTraceError(
            f"{file.name}: {error.strerror}", "it must be loaded, on a kernel with module BTF"
        ) from error
    try:
        found = candidates(file, types)
        members = types.lock_members()
    finally:
        types.close()
    if not found:
        raise CannotTraceError(
            f"{file.label} has {len(file.sites)} lock call sites, "
            "none in a function that a probe can name"
        )
    name = _word(file.name)
    head = [
        f"# {file.name}: drafted from {len(file.sites)} lock call sites; choose and rename.",
        f'name = "{name if name[0].isalpha() else "m" + name}"',
        f'module = "{file.name}"',
        "",
    ]
    pool = _pool(members, found)
    return "\n".join([*head, *_operations(found, pool), *_locks(members, pool)]) + "\n"
