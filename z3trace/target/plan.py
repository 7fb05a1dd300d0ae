"""Resolve a target to what the running kernel has: symbols, call sites, offsets.

The plan says for every operation and every lock call site where its probes go;
what the kernel then refuses is found when they are attached and said in the
recording.
"""

import difflib
import itertools
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from z3trace.bpf import layout
from z3trace.code import kerneltext, loaded, module
from z3trace.code.callsites import Site, Start, TargetCode
from z3trace.code.function import REACH_BYTES, lock_register
from z3trace.code.lockfunctions import KINDS, Kind
from z3trace.data.model import LockClass
from z3trace.errors import CannotTraceError, UsageError
from z3trace.target.definition import LockRule, Target

_CLONE = re.compile(r"\.(isra|constprop|part|cold|lto_priv|llvm)\b")
#: Symbols of a file that are compared with a missing name, and their letters: of a stranger's
#: file all would take seconds for every operation.
_MOST_COMPARED = 2000
_LONGEST_COMPARED = 128
_RULE_KINDS = {
    "pool": layout.RULE_POOL,
    "page": layout.RULE_PAGE,
    "rwlock": layout.RULE_RWLOCK,
    "spinlock": layout.RULE_SPINLOCK,
    "object": layout.RULE_OBJECT,
}
#: Rules that fit every lock of some kinds, wherever it lies.
_OF_KIND: dict[str, tuple[Kind, ...]] = {"rwlock": ("read", "write"), "spinlock": ("spin",)}
#: Rules for a lock by the exact address of what it is in.
_EXACT = (layout.RULE_POOL, layout.RULE_OBJECT)
#: Functions that a refusal names of a target that has no operation here.
_MOST_NAMED = 8


@dataclass(frozen=True)
class OperationPlan:
    """Operation *number*: asked for *function*, found *symbol* at a section's offset;
    argument *pool* (from 0; ``layout.NO_ARGUMENT``: none) is its pool.

    *more*: further functions that are this operation, of the same name or the compiler's
    clones of it, each with its symbol: all are probed, by their addresses.
    """

    number: int
    name: str
    function: str
    symbol: str
    section: str
    offset: int
    result_rule: int
    pool: int
    more: tuple[tuple[str, Start], ...] = ()

    @property
    def starts(self) -> list[Start]:
        """Where each of its functions begins."""
        return [(self.section, self.offset), *(start for _, start in self.more)]

    @property
    def symbols(self) -> str:
        """Its symbols as a reader sees them, each with how many functions have it."""
        counted = Counter([self.symbol, *(symbol for symbol, _ in self.more)])
        names = [
            f"{name} ({count} functions)" if count > 1 else name for name, count in counted.items()
        ]
        return ", ".join(names)


@dataclass(frozen=True)
class ClassRule:
    kind: int
    offset: int
    lock_class: int
    #: Of ``layout.RULE_OBJECT``: the offset of the pointer to the pool.
    pointer: int = 0
    #: ``spin`` or ``rw``; empty if the target does not say.
    of: str = ""


@dataclass(frozen=True)
class Plan:
    """Where the probes go, independent of where the module is loaded."""

    target: Target
    code: TargetCode
    builtin: bool
    operations: list[OperationPlan]
    missing: dict[str, str]
    sites: Sequence[Site]
    rules: list[ClassRule]
    locks: list[LockClass]
    #: Lock classes of call sites that whoever made the plan is certain of, by the site's
    #: number: no rule is asked.
    certain: Mapping[int, str] = field(default_factory=dict)

    def address(self) -> Callable[[str, int], int]:
        """From section and offset to an address, in the kernel as it is now.

        CannotTraceError if the module is not loaded, or not this one.
        """
        if not isinstance(self.code, module.ModuleFile):
            return lambda _, offset: offset
        there = loaded.LoadedModule(self.target.module)
        loaded.check_same(self.code, there)
        return there.address

    def operation_names(self) -> list[str]:
        """By number, of all operations that this kernel has."""
        return [op.name for op in self.operations]

    def only(self, names: Collection[str]) -> "Plan":
        """This plan with the named operations alone, or all if none is named."""
        if not names:
            return self
        unknown = set(names) - set(self.target.operations)
        if unknown:
            raise UsageError(
                f"{self.target.name} has no operation {', '.join(sorted(unknown))}",
                f"it has: {', '.join(self.target.operations)}",
            )
        kept = [op for op in self.operations if op.name in names]
        missing = {name: why for name, why in self.missing.items() if name in names}
        return replace(self, operations=kept, missing=missing)

    def identity(self) -> tuple[str, str]:
        """(build id, source version) of the loaded module; of the kernel, nothing."""
        if self.builtin:
            return "", ""
        there = loaded.LoadedModule(self.target.module)
        return there.build_id(), there.source_version()


def resolve_symbol(names: Sequence[str], functions: Collection[str]) -> tuple[str, list[str]]:
    """(function asked for, symbols found): an exact name first, then a compiler's clones.

    Clones that are called in the place of the function count with it; the part that the
    compiler split off only where nothing else is there, for the rest of it calls that.
    Raises LookupError with the nearest names when there is neither.
    """
    for name in names:
        if name in functions:
            return name, [name, *_clones(name, functions)]
    for name in names:
        found = _clones(name, functions) or _clones(name, functions, split=True)[:1]
        if found:
            return name, found
    short = (symbol for symbol in functions if len(symbol) <= _LONGEST_COMPARED)
    compared = list(itertools.islice(short, _MOST_COMPARED))
    near = difflib.get_close_matches(names[0], compared, n=3, cutoff=0.5)
    asked = ", ".join(names)
    raise LookupError(
        f"none of {asked} is there" + (f"; nearest: {', '.join(near)}" if near else "")
    )


def _clones(name: str, functions: Collection[str], *, split: bool = False) -> list[str]:
    """The compiler's clones of a function; *split*: those that are a part of it."""
    return sorted(
        symbol
        for symbol in functions
        if symbol.startswith(f"{name}.")
        and _CLONE.search(symbol)
        and ".cold" not in symbol
        and (".part" in symbol) == split
    )


def resolve(names: Sequence[str], code: TargetCode) -> tuple[str, list[tuple[str, Start]]]:
    """(function asked for, (symbol, where it begins) of every function that is it), of
    one or more; LookupError as ``resolve_symbol``."""
    function, symbols = resolve_symbol(names, code.functions)
    return function, [(symbol, start) for symbol in symbols for start in code.starts(symbol)]


def _operations(target: Target, code: TargetCode) -> tuple[list[OperationPlan], dict[str, str]]:
    planned: list[OperationPlan] = []
    missing: dict[str, str] = {}
    for name, rule in target.operations.items():
        try:
            function, ((symbol, (section, offset)), *more) = resolve(rule.functions, code)
        except LookupError as error:
            if not rule.optional:
                raise CannotTraceError(
                    f"operation {name} of {target.name}: {error}", f"looked in {code.label}"
                ) from error
            missing[name] = str(error)
            continue
        planned.append(
            OperationPlan(
                *(len(planned), name, function, symbol, section, offset),
                rule.result_rule(),
                rule.pool_argument(),
                tuple(more),
            )
        )
    _must_have_some(target, code, len(planned))
    return planned, missing


def _must_have_some(target: Target, code: TargetCode, count: int) -> None:
    """CannotTraceError if *count* operations are none, or more than a recording has room for."""
    if count > layout.OPERATIONS:
        raise CannotTraceError(
            f"{target.name} has {count} operations here, more than {layout.OPERATIONS}"
        )
    if count:
        return
    there = sorted(name for name in code.functions if not _CLONE.search(name))
    more = ", ..." if len(there) > _MOST_NAMED else ""
    raise CannotTraceError(
        f"{code.label} has none of the operations of {target.name} "
        f"({', '.join(target.operations)})",
        f"it has: {', '.join(there[:_MOST_NAMED])}{more}" if there else "it has no such function",
    )


def _offset(rule: LockRule, offsets: Mapping[str, Mapping[str, int]]) -> int | None:
    """Of the lock in its structure, in bytes; None if it does not lie there here."""
    if rule.unless:
        structure, _, member = rule.unless.partition(".")
        if member in offsets.get(structure, {}):
            return None
    members = offsets.get(rule.struct, {})
    if rule.where in ("rwlock", "spinlock") and not (rule.optional and any(offsets.values())):
        # Where nothing is known of any structure, this rule needs nothing.
        return 0
    if rule.pointer and rule.pointer not in members:
        return None
    return members.get(rule.member)


def _must_know_one(target: Target, offsets: Mapping[str, Mapping[str, int]]) -> None:
    """CannotTraceError if nothing is known of any structure that must have a lock."""
    needed = [rule for rule in target.locks if rule.where in ("pool", "object", "page")]
    missing = [rule for rule in needed if _offset(rule, offsets) is None]
    if missing == needed and any(not rule.optional for rule in needed):
        rule = next(rule for rule in needed if not rule.optional)
        raise CannotTraceError(
            f"lock class {rule.lock_class}: no struct {rule.struct} with member "
            f"{rule.member} is known of this module",
            "its BTF (/sys/kernel/btf) or debug information is needed",
        )


def lock_rules(
    target: Target, offsets: Mapping[str, Mapping[str, int]], kinds: Collection[Kind] = KINDS
) -> tuple[list[ClassRule], list[LockClass]]:
    """The rules of the lock classes, and the classes with the members that are there.

    *kinds*: of the locks that the code takes.  A class of all locks of a kind has no member
    in code that takes none of them: other versions of the target have the class.
    """
    classes = target.classes()
    rules: list[ClassRule] = []
    members: dict[str, list[str]] = {name: [] for name in classes}
    # A member of the pool is found by its exact address and shadows a member of the
    # same class that is still declared elsewhere but no longer used.
    pooled = {
        rule.lock_class
        for rule in target.locks
        if rule.where == "pool" and _offset(rule, offsets) is not None
    }
    _must_know_one(target, offsets)
    for rule in target.locks:
        offset = _offset(rule, offsets)
        if offset is None:
            continue
        if rule.where in ("page", "spinlock") and rule.lock_class in pooled:
            continue
        if rule.where == "site":
            members[rule.lock_class].append(f"{rule.struct}.{rule.member}")
            continue
        number = classes.index(rule.lock_class)
        kind = _RULE_KINDS[rule.where]
        if kind == layout.RULE_POOL and any((r.kind, r.offset) == (kind, offset) for r in rules):
            # A member that had another purpose in other kernels.
            continue
        pointer = offsets[rule.struct][rule.pointer] if rule.pointer else 0
        rules.append(ClassRule(kind, offset, number, pointer, rule.kind))
        if rule.where not in _OF_KIND or set(_OF_KIND[rule.where]) & set(kinds):
            members[rule.lock_class].append(f"{rule.struct}.{rule.member}")
    # An exact address says more than an offset in some page.
    rules.sort(key=lambda rule: _EXACT.index(rule.kind) if rule.kind in _EXACT else len(_EXACT))
    if sum(rule.kind == layout.RULE_OBJECT for rule in rules) > 1:
        raise CannotTraceError(f"{target.name} has more than one lock in an object here")
    if len(rules) > layout.RULES:
        raise CannotTraceError(f"{target.name} has more than {layout.RULES} lock rules here")
    return rules, [LockClass(name=name, members=named) for name, named in members.items()]


def code_of(target: Target, path: Path | None) -> tuple[TargetCode, bool]:
    """A target's code, and whether it is built in: its module's file (default: the
    packaged one), or the kernel's own text."""
    if path is None and target.builtin and is_builtin(target.module):
        return kerneltext.KernelText(target.builtin), True
    return module.ModuleFile(path or loaded.packaged_file(target.module)), False


def make(target: Target, path: Path | None) -> Plan:
    """Resolve *target* against its code; see ``code_of``."""
    return plan_of(target, *code_of(target, path))


def room(code: TargetCode) -> tuple[int, int]:
    """(sites, bytes of text) that the programs must know, as powers of two."""
    starts, ends = [site.offset for site in code.sites], [site.after for site in code.sites]
    spread = max(ends) - min(starts) + 2 * REACH_BYTES if code.sites else 1
    return (
        max(layout.SITES, 1 << (len(code.sites) - 1).bit_length() if code.sites else 0),
        max(layout.PLACES, 1 << spread.bit_length()),
    )


def plan_of(target: Target, code: TargetCode, builtin: bool) -> Plan:
    """Resolve *target* against *code*."""
    operations, missing = _operations(target, code)
    if len(code.sites) > layout.MOST_SITES:
        raise CannotTraceError(
            f"{code.label} has {len(code.sites)} lock call sites, more than {layout.MOST_SITES}"
        )
    members = {name: code.members(name) for name in target.structures()}
    rules, locks = lock_rules(target, members, {site.kind for site in code.sites})
    certain = _by_offset(target, members, code)
    return Plan(target, code, builtin, operations, missing, code.sites, rules, locks, certain)


def _by_offset(
    target: Target, offsets: Mapping[str, Mapping[str, int]], code: TargetCode
) -> dict[int, str]:
    """Site -> class of the sites of rules for call sites.  An offset that members of two
    classes have tells neither, and 0 is what every pointer to a structure is."""
    known: dict[tuple[str, int], set[str]] = {}
    for rule in target.locks:
        offset = offsets.get(rule.struct, {}).get(rule.member)
        for kind in (rule.kind,) if rule.kind else ("spin", "rw"):
            if offset:
                known.setdefault((kind, offset), set()).add(rule.lock_class)
    wanted = {rule.lock_class for rule in target.locks if rule.where == "site"}
    certain = {}
    for site in code.sites if wanted else ():
        kind = "spin" if site.kind == "spin" else "rw"
        found = [known.get((kind, offset), set()) for offset in added(code, site)]
        names = set().union(*found)
        if len(names) == 1 and names <= wanted:
            certain[site.number] = names.pop()
    return certain


def added(code: TargetCode, site: Site) -> set[int]:
    """What the instructions right before a lock call add to a pointer that becomes the
    lock's address, in bytes, at each place where that can be told; without 0."""
    function = code.decoded.get(site.start)
    if function is None:
        return set()
    line = function.line_to(site.offset)
    registers = (lock_register(line[i:]) for i in range(len(line)))
    return {register[1] for register in registers if register} - {0}


def remarks(plan: Plan) -> list[str]:
    """What is to be said of operations that are more than one function, or that are not
    here."""
    gone = [f"this kernel has no {', '.join(plan.missing)}"] if plan.missing else []
    return gone + [
        f"operation {op.name}: {plan.target.module} has {op.symbols}, and all count as it"
        for op in plan.operations
        if op.more
    ]


def absent(locks: Sequence[LockClass]) -> list[str]:
    """Lock classes of the target that this version of it does not have."""
    return [lock.name for lock in locks[1:] if not lock.members]


def is_builtin(name: str) -> bool:
    """Whether the running kernel lists a module as built in."""
    listed = Path(f"/lib/modules/{os.uname().release}/modules.builtin")
    try:
        names = {Path(line).stem.replace("-", "_") for line in listed.read_text().splitlines()}
    except OSError:
        return False
    return name.replace("-", "_") in names
