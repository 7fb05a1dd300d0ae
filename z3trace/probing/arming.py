"""Put a plan's probes into the running kernel: configure, define, enable."""

from collections.abc import Callable
from dataclasses import dataclass, field

from z3trace.bpf import layout, libbpf
from z3trace.bpf.attachments import Attachments
from z3trace.bpf.programs import Programs
from z3trace.data.model import CallSite, Operation
from z3trace.errors import CannotTraceError
from z3trace.probing import locks, operations, slowpath, trampolines
from z3trace.probing.choice import Choice, Costs
from z3trace.probing.locks import Address
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
        armed.function_trampolines += slowpath.trace(armed.attachments, programs)
    armed.function_trampolines += locks.trace_functions(
        armed.attachments, programs, covered.functions
    )
    armed.attachments.enable("lock", programs.lock)
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
