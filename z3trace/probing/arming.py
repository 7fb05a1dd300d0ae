"""Put a plan's probes into the running kernel: configure, define, enable."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from z3trace.bpf import layout, libbpf
from z3trace.bpf.attachments import Attachments
from z3trace.bpf.programs import Programs
from z3trace.data.model import CallSite, Operation
from z3trace.errors import CannotTraceError
from z3trace.probing import locks, operations, siteclasses, slowpath, trampolines
from z3trace.probing.choice import Choice, Costs
from z3trace.probing.locks import Address
from z3trace.probing.siteclasses import SiteClasses
from z3trace.target.plan import Plan


@dataclass
class Armed:
    """Probes in place: what they cover, and what detaches them."""

    attachments: Attachments
    operations: list[Operation] = field(default_factory=list)
    sites: list[CallSite] = field(default_factory=list)
    operation_trampolines: list[int] = field(default_factory=list)
    function_trampolines: list[int] = field(default_factory=list)
    #: Called before anything is detached.
    closing: Callable[[], None] = lambda: None

    def missed(self) -> int:
        """How often the kernel skipped a program on an operation's entry or exit."""
        return sum(libbpf.recursion_misses(fd) for fd in self.operation_trampolines)

    def missed_in_functions(self) -> int:
        """How often it skipped one in a lock function or its slow path, whoever called that."""
        return sum(libbpf.recursion_misses(fd) for fd in self.function_trampolines)

    def close(self) -> None:
        self.closing()
        self.attachments.close()
        trampolines.close(self.operation_trampolines)
        trampolines.close(self.function_trampolines)


def configure(
    programs: Programs, plan: Plan, costs: Costs, choice: Choice, classes: SiteClasses
) -> None:
    """Write rules, costs and filters where the programs find them."""
    config = programs.config
    config.only = config.told = 0
    if choice.lock_class:
        config.only = classes.number(choice.lock_class) + 1
        teller = classes.told_by(choice.lock_class)
        config.told = teller.offset + 1 if teller else 0
    for i in range(layout.RULES):
        config.rules[i] = layout.Rule()
    for i, rule in enumerate(plan.rules):
        config.rules[i] = layout.Rule(rule.kind, rule.offset, rule.lock_class, 0)
    objects = [rule for rule in plan.rules if rule.kind == layout.RULE_OBJECT]
    config.has_object = len(objects)
    config.pointer = objects[0].pointer - objects[0].offset if objects else 0
    for cpu in programs.per_cpu:
        # A cost of 0 would mean that no probe stood there.
        operation = max(costs.operation, 1)
        cpu.floors = layout.Floors(costs.operation_floor, operation, costs.hold_floor)
    config.process, config.processors = choice.process, choice.processors
    config.filtered = choice.filtered
    config.slow_paths = choice.locks and choice.slow_paths


def arm(  # noqa: PLR0913 - the parts of one recording
    programs: Programs,
    plan: Plan,
    address: Address,
    costs: Costs,
    choice: Choice,
    known: SiteClasses | None = None,
) -> Armed:
    """Attach everything that *choice* wants; close what is returned to detach.

    *known*: what is known of the classes of the call sites; default: what the code shows.
    UsageError if *choice* is of a lock class that the target has not.
    """
    classes = known or siteclasses.of(plan)
    if choice.filtered:
        # Whether an event lies in an operation that counts is known from its entry.
        choice = replace(choice, operations=True)
    configure(programs, plan, costs, choice, classes)
    armed = Armed(Attachments())
    try:
        _arm_locks(armed, programs, plan, address, costs, choice, classes)
        if choice.operations or _need_pools(plan, choice, classes):
            _arm_operations(armed, programs, plan, address, choice)
        else:
            armed.operations = operations.left_out(plan)
    except BaseException:
        armed.close()
        raise
    return armed


def _need_pools(plan: Plan, choice: Choice, classes: SiteClasses) -> bool:
    """Whether operations must be seen for the sake of the lock classes alone."""
    if choice.lock_class:
        return classes.need_pools(choice.lock_class)
    return plan.certain.keys() != {site.number for site in plan.sites}


def _arm_locks(  # noqa: PLR0913 - the parts of one recording
    armed: Armed,
    programs: Programs,
    plan: Plan,
    address: Address,
    costs: Costs,
    choice: Choice,
    classes: SiteClasses,
) -> None:
    only = classes.numbers(choice.lock_class) if choice.lock_class else None
    covered = locks.cover(armed.attachments, plan, address, choice, only)
    armed.sites = locks.call_sites(plan, covered)
    fixed = classes.fixed(choice.lock_class)
    places = locks.describe(programs, plan, covered, address, costs, fixed)
    if choice.locks and choice.slow_paths:
        armed.function_trampolines += slowpath.trace(armed.attachments, programs)
    armed.function_trampolines += locks.trace_functions(armed.attachments, programs, covered)
    for event in covered.events:
        armed.attachments.enable(event, programs.lock)
    jumps = [at for at, probe in places.items() if probe.position.method == "jump"]
    armed.attachments.wait_for_jumps(jumps)


def _arm_operations(
    armed: Armed, programs: Programs, plan: Plan, address: Address, choice: Choice
) -> None:
    armed.operations, armed.operation_trampolines = operations.attach(
        armed.attachments, programs, plan, address, choice
    )
    if not any(op.attached for op in armed.operations):
        raise CannotTraceError(
            "no operation could be probed",
            "; ".join(f"{op.name}: {op.reason}" for op in armed.operations),
        )
