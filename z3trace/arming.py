"""Put a plan's probes into the running kernel: configure, define, enable."""

import ctypes
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from z3trace import layout, libbpf
from z3trace.attach import Attachments, refusal
from z3trace.bpf import Programs
from z3trace.callsites import Probe, Site
from z3trace.errors import CannotTraceError
from z3trace.model import Calibration, CallSite, Operation
from z3trace.placement import REGISTERS, Method
from z3trace.plan import OperationPlan, Plan

Address = Callable[[str, int], int]
KINDS = {"spin": layout.SPIN, "read": layout.READ, "write": layout.WRITE}


@dataclass(frozen=True)
class Choice:
    """What to record: operations, locks or both, and how."""

    operations: bool = True
    lock_mode: str = "callsite"
    trampolines: bool = True
    process: int = 0
    processors: int = (1 << 64) - 1
    only_inside: bool = False

    @property
    def locks(self) -> bool:
        return self.lock_mode != "none"


@dataclass(frozen=True)
class Costs:
    """Nanoseconds that probes add, and what they show where nothing happens."""

    operation: int = 0
    operation_floor: int = 0
    hold_floor: int = 0
    probe: dict[Method, int] = field(
        default_factory=lambda: {"jump": 0, "emulated": 0, "stepped": 0}
    )


def costs_of(measured: Calibration | None) -> Costs:
    """What to correct for; nothing without a measurement."""
    if measured is None:
        return Costs()
    return Costs(
        operation=measured.operation,
        operation_floor=measured.operation_floor,
        hold_floor=measured.hold_floor,
        probe={
            "jump": measured.jump,
            "emulated": measured.emulated,
            "stepped": measured.stepped,
        },
    )


@dataclass
class Armed:
    """Probes in place: what they cover, and what detaches them."""

    attachments: Attachments
    operations: list[Operation]
    sites: list[CallSite]
    programs: list[int] = field(default_factory=list)

    def missed(self) -> int:
        """How often the kernel skipped a program on an operation's entry or exit."""
        return sum(libbpf.recursion_misses(fd) for fd in self.programs)

    def close(self) -> None:
        self.attachments.close()
        while self.programs:
            with suppress(OSError):
                os.close(self.programs.pop())


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
    config.filtered = bool(
        choice.only_inside or choice.process or choice.processors != (1 << 64) - 1
    )


def describe_places(
    programs: Programs, places: Mapping[int, Probe], sites: Sequence[Site], costs: Costs
) -> None:
    """Tell the lock program what stands at each address; only of *sites*."""
    text = programs.config.text = min(places, default=0)
    if places and max(places) - text >= programs.place_count:
        raise CannotTraceError("the target's text is larger than the probes know")
    ctypes.memset(ctypes.addressof(programs.places), 0, ctypes.sizeof(programs.places))
    known = {site.number: site for site in sites}
    for where, probe in places.items():
        _describe(programs.places[where - text], probe, known, costs)


def _flags(site: Site) -> int:
    extra = {"acquire": 0, "try": layout.TRY, "release": layout.RELEASE}[site.action]
    return KINDS[site.kind] | extra


def _describe(entry: layout.Place, probe: Probe, sites: dict[int, Site], costs: Costs) -> None:
    position = probe.position
    if position.after in sites:
        entry.after = position.after + 1
        entry.after_flags = _flags(sites[position.after])
    if position.before in sites:
        entry.call = position.before + 1
        entry.call_flags = _flags(sites[position.before])
    entry.reg = REGISTERS.index(position.register)
    entry.offset = position.offset
    entry.cost = max(costs.probe[position.method], 1)


def _trace_operation(
    armed: Armed, programs: Programs, op: OperationPlan, types: libbpf.KernelTypes
) -> None:
    """Attach to an operation's entry and exit by trampoline."""
    identity = types.function(op.symbol) or 0
    for name, attach in (
        ("operation_fexit", libbpf.FEXIT),
        ("operation_fentry", libbpf.FENTRY),
    ):
        fd = programs.load(name, _patches(op), attach=attach, where=(identity, types.fd))
        armed.programs.append(fd)
        armed.attachments.trace(fd, attach)


def _patches(op: OperationPlan) -> dict[int, int]:
    return {layout.THIS_OPERATION: op.number, layout.THIS_RESULT: op.result_rule}


def _kernel_types(plan: Plan, choice: Choice) -> libbpf.KernelTypes | None:
    """BTF that has every operation, for trampolines on all of them; else None."""
    if not (choice.trampolines and choice.operations):
        return None
    try:
        types = libbpf.KernelTypes("" if plan.builtin else plan.target.module)
    except OSError:
        return None
    if all(types.function(op.symbol) for op in plan.operations):
        return types
    types.close()
    return None


def _define_operation(
    probes: Attachments, op: OperationPlan, address: Address, choice: Choice
) -> str:
    where = hex(address(op.section, op.offset))
    try:
        if choice.operations:
            probes.define(f"return_{op.number}", where, on_return=True)
        probes.define(f"entry_{op.number}", where)
    except OSError as error:
        return refusal(error)
    return ""


def _define_site_probes(
    probes: Attachments, plan: Plan, choice: Choice
) -> tuple[dict[int, str], list[Probe]]:
    """Define the probes of the call sites; why a site's cannot be, and what was defined."""
    refused: dict[int, str] = {}
    defined: list[Probe] = []
    if not choice.locks:
        return {site.number: "locks are not recorded" for site in plan.sites}, []
    for probe in plan.code.probes:
        numbers = [n for n in (probe.position.after, probe.position.before) if n is not None]
        try:
            if probe.function in plan.code.ambiguous:
                raise OSError(0, f"the target has more than one {probe.function}")
            where = f"{plan.code.prefix}{probe.function}+{probe.function_offset}"
            probes.define("lock", where)
            defined.append(probe)
        except OSError as error:
            reason = refusal(error) if error.errno else str(error.strerror)
            refused |= dict.fromkeys(numbers, reason)
    placed = {n for one in defined for n in (one.position.after, one.position.before)}
    for site in plan.sites:
        if site.number not in placed and site.number not in refused:
            tail = site.tail and site.action != "release"
            refused[site.number] = (
                "a tail jump to a lock function has no instruction after it"
                if tail
                else "no instruction here can carry a probe safely"
            )
    return refused, defined


def _described(plan: Plan, refused: dict[int, str], defined: Sequence[Probe]) -> list[CallSite]:
    methods = {one.position.before: one.position.method for one in defined}
    found = []
    for site in plan.sites:
        source = plan.code.source(site)
        reason = refused.get(site.number, "")
        found.append(
            CallSite(
                number=site.number,
                function=site.function,
                offset=site.function_offset,
                lock_function=site.lock_function,
                action=site.action,
                kind=site.kind,
                file=source.file,
                line=source.line,
                inlined=list(source.chain[1:]),
                attached=not reason,
                reason=reason,
                method="" if reason else methods.get(site.number, ""),
            )
        )
    return found


def arm(programs: Programs, plan: Plan, address: Address, costs: Costs, choice: Choice) -> Armed:
    """Attach everything that *choice* wants; close what is returned to detach."""
    configure(programs, plan, costs, choice)
    armed = Armed(Attachments(), [], [])
    try:
        _arm(armed, programs, plan, address, costs, choice)
    except BaseException:
        armed.close()
        raise
    return armed


def _arm(  # noqa: PLR0913 - the parts of one recording
    armed: Armed, programs: Programs, plan: Plan, address: Address, costs: Costs, choice: Choice
) -> None:
    probes = armed.attachments
    refused, defined = _define_site_probes(probes, plan, choice)
    armed.sites = _described(plan, refused, defined)
    places = {address(one.section, one.position.address): one for one in defined}
    seen = [site for site in plan.sites if site.number not in refused]
    describe_places(programs, places, seen, costs)
    types = _kernel_types(plan, choice)
    probes.enable("lock", programs.lock)
    for op in plan.operations:
        traced = types is not None
        if types is not None:
            _trace_operation(armed, programs, op, types)
        reason = "" if traced else _define_operation(probes, op, address, choice)
        if not traced and not reason:
            # What ends something before what begins it: a beginning never lacks its end.
            probes.enable(f"return_{op.number}", programs.load("operation_return", _patches(op)))
            entry = "operation_entry" if choice.operations else "operation_pool"
            probes.enable(f"entry_{op.number}", programs.load(entry, _patches(op)))
        armed.operations.append(
            Operation(
                name=op.name,
                function=op.function,
                symbol=op.symbol,
                attached=not reason,
                reason=reason,
                method="" if reason else "trampoline" if traced else "kprobe",
            )
        )
    if types is not None:
        types.close()
    armed.operations += [
        Operation(name=name, function="", reason=reason) for name, reason in plan.missing.items()
    ]
    if not any(op.attached for op in armed.operations):
        raise CannotTraceError(
            "no operation could be probed",
            "; ".join(f"{op.name}: {op.reason}" for op in armed.operations),
        )
    probes.wait_for_jumps([at for at, one in places.items() if one.position.method == "jump"])
