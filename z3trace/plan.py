"""Resolve a target to what the running kernel has: symbols, call sites, offsets.

The plan says for every operation and every lock call site where its probes go;
what the kernel then refuses is found when they are attached and said in the
recording.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from z3trace import btf, layout, module
from z3trace.errors import CannotTraceError
from z3trace.model import LockClass
from z3trace.target import LockRule, OperationRule, Target

_CLONE = re.compile(r"\.(isra|constprop|part|cold|lto_priv|llvm)\b")
_RULE_KINDS = {
    "pool": layout.RULE_POOL,
    "page": layout.RULE_PAGE,
    "rwlock": layout.RULE_RWLOCK,
}
KINDS = {"spin": layout.SPIN, "read": layout.READ, "write": layout.WRITE}


@dataclass(frozen=True)
class OperationPlan:
    """Operation *number*: asked for *function*, found *symbol* at a section's offset."""

    number: int
    name: str
    function: str
    symbol: str
    section: str
    offset: int
    result_rule: int


@dataclass(frozen=True)
class ClassRule:
    kind: int
    offset: int
    lock_class: int


@dataclass(frozen=True)
class Plan:
    """Where the probes go, independent of where the module is loaded."""

    target: Target
    file: module.ModuleFile
    operations: list[OperationPlan]
    missing: dict[str, str]
    sites: list[module.Site]
    rules: list[ClassRule]
    locks: list[LockClass]


def resolve_symbol(
    rule: OperationRule, functions: Mapping[str, tuple[str, int]]
) -> tuple[str, str]:
    """(function asked for, symbol found): an exact name first, then a compiler's clone.

    Raises LookupError with the nearest names when there is neither.
    """
    for name in rule.functions:
        if name in functions:
            return name, name
    for name in rule.functions:
        clones = sorted(
            symbol
            for symbol in functions
            if symbol.startswith(f"{name}.") and _CLONE.search(symbol) and ".cold" not in symbol
        )
        if clones:
            return name, clones[0]
    near = difflib.get_close_matches(rule.functions[0], functions, n=3, cutoff=0.5)
    asked = ", ".join(rule.functions)
    raise LookupError(
        f"none of {asked} is there" + (f"; nearest: {', '.join(near)}" if near else "")
    )


def _operations(
    target: Target, file: module.ModuleFile
) -> tuple[list[OperationPlan], dict[str, str]]:
    found, missing = [], {}
    for number, (name, rule) in enumerate(target.operations.items()):
        try:
            function, symbol = resolve_symbol(rule, file.functions)
        except LookupError as error:
            if not rule.optional:
                raise CannotTraceError(
                    f"operation {name} of {target.name}: {error}", f"looked in {file.path}"
                ) from error
            missing[name] = str(error)
            continue
        section, offset = file.functions[symbol]
        found.append(
            OperationPlan(number, name, function, symbol, section, offset, rule.result_rule())
        )
    return found, missing


def _offset(rule: LockRule, offsets: Mapping[str, Mapping[str, int]]) -> int | None:
    if rule.where == "rwlock":
        return 0
    return offsets.get(rule.struct, {}).get(rule.member)


def lock_rules(
    target: Target, offsets: Mapping[str, Mapping[str, int]]
) -> tuple[list[ClassRule], list[LockClass]]:
    classes = target.classes()
    rules: list[ClassRule] = []
    members: dict[str, list[str]] = {name: [] for name in classes}
    # A member of the pool is found by its exact address and shadows a member of
    # the same class that is still declared in the page but no longer used.
    pooled = {
        rule.lock_class
        for rule in target.locks
        if rule.where == "pool" and _offset(rule, offsets) is not None
    }
    for rule in target.locks:
        offset = _offset(rule, offsets)
        if offset is None:
            if not rule.optional:
                raise CannotTraceError(
                    f"lock class {rule.lock_class}: no struct {rule.struct} with member "
                    f"{rule.member} is known of this module",
                    "its BTF (/sys/kernel/btf) or debug information is needed",
                )
            continue
        if rule.where == "page" and rule.lock_class in pooled:
            continue
        number = classes.index(rule.lock_class)
        rules.append(ClassRule(_RULE_KINDS[rule.where], offset, number))
        members[rule.lock_class].append(f"{rule.struct}.{rule.member}")
    return rules, [LockClass(name=name, members=found) for name, found in members.items()]


def make(target: Target, path: Path | None) -> Plan:
    """Resolve *target* against its module's file (default: the packaged one)."""
    file = module.ModuleFile(path or module.packaged_file(target.module))
    operations, missing = _operations(target, file)
    if len(file.sites) > layout.SITES:
        raise CannotTraceError(
            f"{file.path} has {len(file.sites)} lock call sites, more than {layout.SITES}"
        )
    offsets = file.facts.structs or btf.structs(target.module)
    rules, locks = lock_rules(target, offsets)
    return Plan(target, file, operations, missing, file.sites, rules, locks)
