"""Draft a target definition from a module's symbols, BTF and lock call sites."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from z3trace.bpf import layout
from z3trace.bpf.btf import KernelTypes, LockMember
from z3trace.code.module import ModuleFile
from z3trace.errors import CannotTraceError
from z3trace.words import amount

_LONGEST = 32  # characters of a name
_MOST_OTHERS = 24  # functions that are written down and not chosen
_CLONE = re.compile(r"\.(cold|part|isra|constprop)\b")


@dataclass(frozen=True)
class Candidate:
    """A function that takes locks: how often, how many arguments, the structure it gets first."""

    function: str
    sites: int
    arguments: int
    structure: str
    #: How often a workload called it, and the time from entry to return of all calls, ns;
    #: None: that was not measured.
    calls: int | None = None
    time: int = 0


def candidates(
    file: ModuleFile, types: KernelTypes, used: Mapping[str, tuple[int, int]] | None = None
) -> list[Candidate]:
    """Functions that a probe can name: those with lock call sites, those with most first; or
    by *used*, (calls, time) of each function that was looked at, those that took most time."""
    counted = Counter(site.function for site in file.sites)
    named = [
        Candidate(
            *(name, counted[name], types.arguments(name) or 0, types.first_argument(name)),
            *(used.get(name, (0, 0)) if used is not None else (None, 0)),
        )
        for name in (used if used is not None else counted)
        if _can_be_named(name, file, types)
    ]
    return sorted(named, key=lambda each: (-each.time, -each.sites, each.function))


def _can_be_named(name: str, file: ModuleFile, types: KernelTypes) -> bool:
    known = types.function(name) is not None and name not in file.ambiguous
    return known and not _CLONE.search(name)


def functions(file: ModuleFile) -> list[str]:
    """The functions of which the use can be measured, those that take most locks first;
    CannotTraceError as ``draft``."""
    types = _types(file)
    counted = Counter(site.function for site in file.sites)
    try:
        named = [
            name
            for name, (section, _) in file.functions.items()
            if section.startswith(".text") and _can_be_named(name, file, types)
        ]
    finally:
        types.close()
    return sorted(named, key=lambda name: (-counted[name], name))


def _unique(name: str, used: set[str]) -> str:
    """*name*, or with a number behind it: tables of one name are no TOML."""
    number, unique = 2, name
    while unique in used:
        end = f"-{number}"
        number, unique = number + 1, name[: _LONGEST - len(end)] + end
    used.add(unique)
    return unique


def _word(name: str) -> str:
    word = re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")[:_LONGEST] or "x"
    return word if word[0].isalpha() else f"f{word}"[:_LONGEST]


def _pool(members: Sequence[LockMember], functions: Sequence[Candidate]) -> str:
    """The structure with locks that most of the likely operations get first; or empty."""
    locked = {member.structure for member in members}
    likely = functions[: layout.OPERATIONS]
    counted = Counter(function.structure for function in likely if function.structure in locked)
    return counted.most_common(1)[0][0] if counted else ""


def _operations(functions: Sequence[Candidate], pool: str) -> list[str]:
    measured = any(candidate.calls is not None for candidate in functions)
    what = "took most time" if measured else "have most lock call sites"
    lines = [f"# Up to eight operations; the functions below are those that {what}."]
    proposed = [each for each in functions if each.calls != 0][: layout.OPERATIONS]
    others = [each for each in functions if each not in proposed][:_MOST_OTHERS]
    used: set[str] = set()
    for candidate in (*proposed, *others):
        mark = "" if candidate in proposed else "# "
        if others and candidate is others[0]:
            lines += ["", "# Others:"]
        word = _unique(_word(candidate.function), used)
        lines += ["", f"{mark}[operations.{word}]  # {_note(candidate)}"]
        lines += [f'{mark}functions = ["{candidate.function}"]']
        if not pool or candidate.structure != pool:
            lines += [f"{mark}arguments = []"]
    return lines


def _note(candidate: Candidate) -> str:
    parts = [amount(candidate.sites, "lock call site")]
    if candidate.calls:
        parts.insert(0, f"{amount(candidate.calls, 'call')}, {candidate.time / 1e6:.1f} ms in all")
    if candidate.calls == 0:
        parts.insert(0, "never called")
    if candidate.structure:
        parts.append(f"first argument struct {candidate.structure} *")
    return "; ".join(parts)


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
            name = _unique(name, used)
        lines += ["", f"{mark}[[locks]]", f'{mark}class = "{name}"']
        lines += [f'{mark}struct = "{lock.structure}"', f'{mark}member = "{lock.member}"']
        lines += [f'{mark}in = "{where or "page"}"']
    return lines


def _types(file: ModuleFile) -> KernelTypes:
    try:
        return KernelTypes(file.name)
    except OSError as error:
        raise CannotTraceError(
            f"{file.name}: {error.strerror}", "it must be loaded, on a kernel with module BTF"
        ) from error


def draft(file: ModuleFile, used: Mapping[str, tuple[int, int]] | None = None) -> str:
    """A definition in TOML, by *used* as in ``candidates``; CannotTraceError if there is
    nothing to draft it from."""
    types = _types(file)
    try:
        functions = candidates(file, types, used)
        members = types.lock_members()
    finally:
        types.close()
    if not functions:
        raise CannotTraceError(
            f"{file.label} has {amount(len(file.sites), 'lock call site')}, "
            "none in a function that a probe can name"
        )
    if used is not None and not any(candidate.calls for candidate in functions):
        raise CannotTraceError(
            f"the workload called none of the {len(functions)} functions of {file.label} that "
            "were looked at",
            "does it use the module?",
        )
    name = re.sub(r"[^a-z0-9-]+", "-", file.name.lower()).strip("-")[:_LONGEST] or "x"
    sites = amount(len(file.sites), "lock call site")
    head = [
        f"# {file.name}: drafted from {sites}; choose and rename.",
        f'name = "{name if name[0].isalpha() else "m" + name}"',
        f'module = "{file.name}"',
        "",
    ]
    pool = _pool(members, functions)
    return "\n".join([*head, *_operations(functions, pool), *_locks(members, pool)]) + "\n"
