"""Arm the rules of a check: which can be judged here, and what the programs must know.

Rules are judged in the kernel, at the lock event (probes/check.bpf.h).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from z3trace.bpf import btf, cpus, layout
from z3trace.bpf.checklayout import CheckMaps
from z3trace.bpf.kcore import memory_map
from z3trace.bpf.programs import Programs
from z3trace.data import limits, rules
from z3trace.data.checkfile import ConditionInfo
from z3trace.data.model import CallSite
from z3trace.errors import CannotTraceError
from z3trace.probing.arming import Armed
from z3trace.target.definition import Condition
from z3trace.target.plan import Plan, resolve

_TICK = 250_000_000  # ns between looks at the task on a CPU
_SECOND = 1e9  # ns
_FREES = "free-while-held"


@dataclass(frozen=True)
class Limits:
    """Seconds: a longer hold, a longer wait is told of."""

    hold: float = 2.0
    wait: float = 2.0
    console: bool = False


@dataclass
class Judged:
    """What is judged from now on: rule -> why it is not, the target's conditions, and
    when judging began, in ns of the kernel's clock."""

    not_judged: dict[str, str] = field(default_factory=dict)
    conditions: list[ConditionInfo] = field(default_factory=list)
    since: int = 0


def arm(programs: Programs, maps: CheckMaps, plan: Plan, limits: Limits, armed: Armed) -> Judged:
    """Let the rules be judged at the probes that are *armed*, until these are closed."""
    book = maps.rulebook
    judged = Judged(unseen(armed))
    book.long_hold = int(limits.hold * _SECOND)
    book.stuck = int(limits.wait * _SECOND)
    book.console = limits.console
    _arm_contracts(maps, plan)
    reason = _arm_frees(programs, maps, plan, armed)
    if reason:
        judged.not_judged.setdefault(_FREES, reason)
    judged.conditions = _arm_conditions(programs, plan, armed)
    armed.attachments.trace_switches(programs.load("switch"))
    armed.attachments.tick(programs.load("tick"), _TICK, cpus.online())
    book.judged = sum(
        1 << number
        for number, rule in enumerate(rules.IN_KERNEL)
        if rule and rule not in judged.not_judged
    )

    def disarm() -> None:
        book.armed = 0

    book.armed = judged.since = time.monotonic_ns()
    armed.closing = disarm
    return judged


def unseen(armed: Armed) -> dict[str, str]:
    """Rules that cannot be judged as not every call site is seen, and why."""
    missing = [site for site in armed.sites if not site.attached]
    releases = [site for site in missing if site.action == "release"]
    reasons = {
        "all": _not_seen(missing, armed.sites, "lock call sites"),
        "releases": _not_seen(
            releases,
            [site for site in armed.sites if site.action == "release"],
            "releases",
            ": their locks would seem to be held for ever",
        ),
        "": "",
    }
    needed = {rule.name: reasons[rule.needs] for rule in rules.RULES}
    return {name: reason for name, reason in needed.items() if reason}


def _not_seen(
    missing: Sequence[CallSite], sites: Sequence[CallSite], what: str, more: str = ""
) -> str:
    """How many are not seen, and where; empty if all are."""
    where = ", ".join(sorted({site.function for site in missing}))
    text = f"{len(missing)} of {len(sites)} {what} are not seen, in {where}{more}"
    return text[: limits.TEXT] if missing else ""


def _arm_contracts(maps: CheckMaps, plan: Plan) -> None:
    classes = plan.target.classes()
    for number in range(layout.OPERATIONS):
        maps.rulebook.holds[number] = 0
    for op in plan.operations:
        holds = plan.target.operations[op.name].holds
        maps.rulebook.holds[op.number] = sum(1 << classes.index(name) for name in holds)


def _arm_frees(programs: Programs, maps: CheckMaps, plan: Plan, armed: Armed) -> str:
    """Look at every page that is given back; why that cannot be done, if so."""
    book = maps.rulebook
    book.pages = 0
    if not plan.target.frees:
        return rules.NO_FREES
    try:
        book.pages, book.memory = memory_map()
        for function in plan.target.frees:
            armed.attachments.define("free", function)
    except (CannotTraceError, OSError) as error:
        return str(error)
    in_page = [rule for rule in plan.rules if rule.kind == layout.RULE_PAGE]
    book.page_lock = in_page[0].offset if in_page else 0
    book.page_class = in_page[0].lock_class if in_page else 0
    armed.attachments.enable("free", programs.load("free"))
    return ""


def _must_have(plan: Plan, condition: Condition) -> None:
    """LookupError if this version of the target has not what the condition needs."""
    structure, _, member = (condition.needs or "").partition(".")
    there = plan.code.members(structure) if structure else {}
    if structure and (not there or (member and member not in there)):
        raise LookupError(f"this version of {plan.target.name} has no {condition.needs}")


def _offset(plan: Plan, condition: Condition) -> int:
    """Of the member that is looked at, in what the argument points to, in bytes; -1 if it is
    the argument itself.  LookupError if this version of the target has none."""
    if not (condition.struct and condition.member):
        return -1
    there = plan.code.members(condition.struct) or btf.members(condition.struct)
    if condition.member not in there:
        raise LookupError(
            f"this version of {plan.target.name} has no {condition.struct}.{condition.member}"
        )
    return there[condition.member]


def _arm_conditions(programs: Programs, plan: Plan, armed: Armed) -> list[ConditionInfo]:
    address, conditions = plan.address(), []
    for number, condition in enumerate(plan.target.conditions):
        reason = ""
        try:
            _must_have(plan, condition)
            _, found = resolve(condition.functions, plan.code)
            patches = {
                layout.PATCH_CONDITION: number,
                layout.PATCH_TEST: rules.TESTS.index(condition.test),
                layout.PATCH_VALUE: condition.value,
                layout.PATCH_OFFSET: _offset(plan, condition) + 1,
                layout.PATCH_ARGUMENT: condition.argument,
            }
            program = programs.load("condition", patches)
            for one, (_, start) in enumerate(found):
                event = f"condition_{number}" + (f"_{one}" if one else "")
                where = hex(address(*start))
                armed.attachments.define(event, where, on_return=condition.on_return)
                armed.attachments.enable(event, program)
        except (LookupError, OSError) as error:
            reason = str(error)
        conditions.append(ConditionInfo(name=condition.name, reason=reason))
    return conditions
