"""Draft a target definition from a module's symbols, BTF and lock call sites."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from z3trace.bpf import layout
from z3trace.bpf.btf import KernelTypes, LockMember
from z3trace.code.module import ModuleFile
from z3trace.errors import CannotTraceError
from z3trace.words import amount

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
    named = [
        Candidate(name, count, types.arguments(name) or 0, types.first_argument(name))
        for name, count in counted.items()
        if not _CLONE.search(name) and types.function(name) and name not in file.ambiguous
    ]
    return sorted(named, key=lambda candidate: (-candidate.sites, candidate.function))


def _word(name: str) -> str:
    return re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")[:32] or "x"


def _pool(members: Sequence[LockMember], functions: Sequence[Candidate]) -> str:
    """The structure with locks that most of the likely operations get first; or empty."""
    locked = {member.structure for member in members}
    likely = functions[: layout.OPERATIONS]
    counted = Counter(function.structure for function in likely if function.structure in locked)
    return counted.most_common(1)[0][0] if counted else ""


def _operations(functions: Sequence[Candidate], pool: str) -> list[str]:
    lines = ["# Up to eight operations; the functions below that take most locks."]
    for number, candidate in enumerate(functions):
        mark = "" if number < layout.OPERATIONS else "# "
        if number == layout.OPERATIONS:
            lines += ["", "# Others:"]
        note = f"  # {amount(candidate.sites, 'lock call site')}" + (
            f"; first argument struct {candidate.structure} *" if candidate.structure else ""
        )
        lines += ["", f"{mark}[operations.{_word(candidate.function)}]{note}"]
        lines += [f'{mark}functions = ["{candidate.function}"]']
        if not pool or candidate.structure != pool:
            lines += [f"{mark}arguments = []"]
    return lines


def _locks(members: Sequence[LockMember], pool: str) -> list[str]:
    rwlocks = [lock for lock in members if lock.kind == "rwlock"]
    offsets = Counter(lock.offset for lock in members)
    lines = [
        "",
        '# Lock classes. "pool": a member of what the operations get as "pool"; "site": told by',
        "# the member's offset in the instructions before each lock call.  One that is the first",
        "# member of its structure counts as 'other' unless you say how.",
    ]
    used: set[str] = set()
    for lock in members:
        if lock.structure == pool:
            where = "pool"
        elif lock.kind == "rwlock" and len(rwlocks) == 1:
            where = "rwlock"
        elif lock.offset and offsets[lock.offset] == 1:
            where = "site"
        else:
            where = ""
        known = bool(where) and len(used) < layout.CLASSES - 1
        mark = "" if known else "# "
        name = _word(f"{lock.structure}-{lock.member}")
        if known:
            used.add(name)
        lines += ["", f"{mark}[[locks]]", f'{mark}class = "{name}"']
        lines += [f'{mark}struct = "{lock.structure}"', f'{mark}member = "{lock.member}"']
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
        functions = candidates(file, types)
        members = types.lock_members()
    finally:
        types.close()
    if not functions:
        raise CannotTraceError(
            f"{file.label} has {amount(len(file.sites), 'lock call site')}, "
            "none in a function that a probe can name"
        )
    name = _word(file.name)
    sites = amount(len(file.sites), "lock call site")
    head = [
        f"# {file.name}: drafted from {sites}; choose and rename.",
        f'name = "{name if name[0].isalpha() else "m" + name}"',
        f'module = "{file.name}"',
        "",
    ]
    pool = _pool(members, functions)
    return "\n".join([*head, *_operations(functions, pool), *_locks(members, pool)]) + "\n"
