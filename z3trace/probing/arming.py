"""Put a plan's probes into the running kernel: configure, define, enable."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from z3trace.bpf import layout, libbpf
from z3trace.bpf.attachments import Attachments
from z3trace.bpf.btf import KernelTypes
from z3trace.bpf.kprobes import refusal
from z3trace.bpf.programs import Programs
from z3trace.data.model import CallSite, Operation
from z3trace.errors import CannotTraceError
from z3trace.probing import locks, slowpath
from z3trace.probing.choice import Choice, Costs
from z3trace.probing.locks import Address
from z3trace.target.plan import OperationPlan, Plan


@dataclass
class Armed:
    """Probes in place: what they cover, and what detaches them."""

    attachments: Attachments
    operations: list[Operation] = field(default_factory=list)
    sites: list[CallSite] = field(default_factory=list)
    operation_programs: list[int] = field(default_factory=list)
    function_programs: list[int] = field(default_factory=list)
    #: Called before anything is detached.
    closing: Callable[[], None] = lambda: None

    def missed(self) -> int:
        """How often the kernel skipped a program on an operation's entry or exit."""
        return sum(libbpf.recursion_misses(fd) for fd in self.operation_programs)

    def missed_in_functions(self) -> int:
        """How often it skipped one in a lock function or its slow path, whoever called that."""
        return sum(libbpf.recursion_misses(fd) for fd in self.function_programs)

    def close(self) -> None:
        self.closing()
        self.attachments.close()
        for fd in self.operation_programs + self.function_programs:
            with suppress(OSError):
                os.close(fd)
        self.operation_programs, self.function_programs = [], []


def configure(programs: Programs, plan: Plan, costs: Costs, choice: Choice) -> None:
    """Write rules, costs and filters where the programs find them."""
    config = programs.config
    for i in range(layout.RULES):
        config.rules[i] = layout.Rule()
    for i, rule in enumerate(plan.rules):
        config.rules[i] = layout.Rule(rule.kind, rule.offset, rule.lock_class, 0)
    for cpu in programs.per_cpu:
        # A cost of 0 would mean that no probe stood there.
        operation = max(costs.operation, 1)
        cpu.floors = layout.Floors(costs.operation_floor, operation, costs.hold_floor)
    config.process, config.processors = choice.process, choice.processors
    config.filtered = choice.filtered
    config.slow_paths = choice.locks and choice.slow_paths


def _patches(op: OperationPlan) -> dict[int, int]:
    return {
        layout.PATCH_OPERATION: op.number,
        layout.PATCH_RESULT_RULE: op.result_rule,
        layout.PATCH_ARGUMENT: op.pool,
    }


def _suits(types: KernelTypes, op: OperationPlan) -> bool:
    """Whether a trampoline can hand over what the programs read of an operation."""
    count = types.arguments(op.symbol)
    return count is not None and (op.pool == layout.NO_ARGUMENT or op.pool < count)


def _trampolines(programs: Programs, plan: Plan, choice: Choice) -> list[tuple[int, int]]:
    """(descriptor, attach type) of programs on every operation's exit and entry, exits
    first; none if trampolines are not chosen or the kernel has none for one of them."""
    if not (choice.trampolines and choice.operations):
        return []
    try:
        types = KernelTypes("" if plan.builtin else plan.target.module)
    except OSError:
        return []
    loaded: list[tuple[int, int]] = []
    try:
        if all(_suits(types, op) for op in plan.operations):
            for name, attach in (
                ("operation_fexit", libbpf.FEXIT),
                ("operation_fentry", libbpf.FENTRY),
            ):
                for op in plan.operations:
                    where = (types.function(op.symbol) or 0, types.fd)
                    fd = programs.load(name, _patches(op), attach=attach, where=where)
                    loaded.append((fd, attach))
    except OSError:
        # Some functions take no trampoline, such as those that may not be traced.
        for fd, _ in loaded:
            os.close(fd)
        return []
    finally:
        types.close()
    return loaded


def _probe_operation(
    probes: Attachments, programs: Programs, op: OperationPlan, address: Address, choice: Choice
) -> str:
    """Attach to an operation by kprobes; why it cannot be done, if so."""
    where = hex(address(op.section, op.offset))
    try:
        if choice.operations:
            probes.define(f"return_{op.number}", where, on_return=True)
        probes.define(f"entry_{op.number}", where)
    except OSError as error:
        return refusal(error)
    # What ends something before what begins it: a beginning never lacks its end.
    probes.enable(f"return_{op.number}", programs.load("operation_return", _patches(op)))
    entry = "operation_entry" if choice.operations else "operation_pool"
    probes.enable(f"entry_{op.number}", programs.load(entry, _patches(op)))
    return ""


def arm(programs: Programs, plan: Plan, address: Address, costs: Costs, choice: Choice) -> Armed:
    """Attach everything that *choice* wants; close what is returned to detach."""
    configure(programs, plan, costs, choice)
    armed = Armed(Attachments())
    try:
        _arm_locks(armed, programs, plan, address, costs, choice)
        _arm_operations(armed, programs, plan, address, choice)
    except BaseException:
        armed.close()
        raise
    return armed


def _arm_locks(  # noqa: PLR0913 - the parts of one recording
    armed: Armed, programs: Programs, plan: Plan, address: Address, costs: Costs, choice: Choice
) -> None:
    covered = locks.cover(armed.attachments, plan, choice)
    armed.sites = locks.call_sites(plan, covered)
    places = locks.describe(programs, plan, covered, address, costs)
    if choice.locks and choice.slow_paths:
        armed.function_programs += slowpath.trace(armed.attachments, programs)
    armed.function_programs += locks.trace_functions(armed.attachments, programs, covered.functions)
    armed.attachments.enable("lock", programs.lock)
    jumps = [at for at, one in places.items() if one.position.method == "jump"]
    armed.attachments.wait_for_jumps(jumps)


def _arm_operations(
    armed: Armed, programs: Programs, plan: Plan, address: Address, choice: Choice
) -> None:
    trampolines = _trampolines(programs, plan, choice)
    armed.operation_programs = [fd for fd, _ in trampolines]
    for fd, attach in trampolines:
        armed.attachments.trace(fd, attach)
    for op in plan.operations:
        reason = ""
        if not trampolines:
            reason = _probe_operation(armed.attachments, programs, op, address, choice)
        armed.operations.append(
            Operation(
                name=op.name,
                function=op.function,
                symbol=op.symbol,
                attached=not reason,
                reason=reason,
                method="" if reason else "trampoline" if trampolines else "kprobe",
            )
        )
    armed.operations += [
        Operation(name=name, function="", reason=reason) for name, reason in plan.missing.items()
    ]
    if not any(op.attached for op in armed.operations):
        raise CannotTraceError(
            "no operation could be probed",
            "; ".join(f"{op.name}: {op.reason}" for op in armed.operations),
        )
