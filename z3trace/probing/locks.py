"""Lock events of a target: at its call sites, or in the lock functions they call."""

import ctypes
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from z3trace.bpf import layout, libbpf
from z3trace.bpf.attachments import Attachments
from z3trace.bpf.btf import KernelTypes
from z3trace.bpf.kprobes import refusal
from z3trace.bpf.programs import Programs
from z3trace.code import codeend
from z3trace.code.callsites import Probe, Site, methods
from z3trace.code.kerneltext import kernel_functions
from z3trace.code.loaded import LoadedModule
from z3trace.code.lockfunctions import LOCK_FUNCTIONS
from z3trace.code.module import ModuleFile
from z3trace.code.placement import REGISTERS
from z3trace.data import limits
from z3trace.data.model import CallSite
from z3trace.errors import CannotTraceError
from z3trace.probing import unseen
from z3trace.probing.choice import Choice, Costs
from z3trace.probing.trampolines import all_or_none
from z3trace.target.plan import Plan

Address = Callable[[str, int], int]
_KINDS = {"spin": layout.SPIN, "read": layout.READ, "write": layout.WRITE}
_ACTIONS = {"acquire": 0, "try": layout.TRY, "release": layout.RELEASE}
_MOST_COST = 0xFFFF  # ns: what fits into ``Place.cost``
_DEADLY = "a probe in the module's last function would crash this kernel"
#: What a call site has in the code and in a recording alike.
_SAME = ("number", "function", "lock_function", "action", "kind")


@dataclass
class Covered:
    """Which site is seen how: by *probes*, in its lock function, or why not at all.

    *leaving*: sites that jump to the lock function.  A probe sees what they ask for, and the
    lock function's exit that they have it.
    """

    probes: list[Probe] = field(default_factory=list)
    functions: list[Site] = field(default_factory=list)
    leaving: list[Site] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    #: The kprobe events that the probes are in.
    events: list[str] = field(default_factory=lambda: ["lock"])


def cover(
    attachments: Attachments,
    plan: Plan,
    address: Address,
    choice: Choice,
    only: Collection[int] | None = None,
) -> Covered:
    """Define the probes of the call sites, and settle how each site is seen.

    *only*: numbers of the sites that the chosen lock class needs; None: all.
    """
    covered = Covered()
    if not choice.locks:
        covered.refused = {site.number: "locks are not recorded" for site in plan.sites}
        return covered
    sites = [site for site in plan.sites if only is None or site.number in only]
    by_function = [site for site in sites if choice.lock_mode == "function" and not site.tail]
    others = {site.number for site in sites} - {site.number for site in by_function}
    if choice.lock_mode == "callsite":
        others -= {site.number for site in sites if site.leaves}
    _define(attachments, plan, address, others, covered, choice)
    if choice.lock_mode == "hybrid":
        by_function = [s for s in sites if s.number in covered.refused and not s.tail]
    leaving = [s for s in sites if s.leaves and s.number not in covered.refused]
    if choice.lock_mode == "callsite":
        covered.refused |= {site.number: unseen.NOWHERE for site in leaving}
    else:
        covered.leaving = _traceable(leaving, covered)
    covered.functions = _traceable(by_function, covered)
    for site in sites:
        if site.tail and site.number in covered.refused and not site.leaves:
            covered.refused[site.number] += unseen.AND_JUMPS
    left_out = f"{unseen.LEFT_OUT}{choice.lock_class}"
    seen = {site.number for site in sites}
    covered.refused |= {s.number: left_out for s in plan.sites if s.number not in seen}
    return covered


def _define(  # noqa: PLR0913 - the parts of one recording
    attachments: Attachments,
    plan: Plan,
    address: Address,
    wanted: set[int],
    covered: Covered,
    choice: Choice,
) -> None:
    if choice.lock_class or plan.certain:
        # One probe for two events would show a hold of nothing where there was a short one.
        probes = plan.code.alone(wanted, attempts=not choice.slow_paths)
    else:
        probes = plan.code.fewer_probes if choice.slow_paths else plan.code.probes
    deadly = _deadly(plan)
    for probe in probes:
        numbers = {probe.position.after, probe.position.before} & wanted
        if not numbers:
            continue
        if probe.function == deadly:
            covered.refused |= {n: _DEADLY for n in numbers if n is not None}
            continue
        try:
            _define_one(attachments, plan, address, probe, covered)
            covered.probes.append(probe)
        except OSError as error:
            covered.refused |= {n: refusal(error) for n in numbers if n is not None}
    placed = {n for p in covered.probes for n in (p.position.after, p.position.before)}
    for site in plan.sites:
        if site.number in wanted - placed and site.number not in covered.refused:
            covered.refused[site.number] = (
                unseen.ON_CONDITION if site.conditional else unseen.NOTHING_SAFE
            )


def _define_one(
    attachments: Attachments, plan: Plan, address: Address, probe: Probe, covered: Covered
) -> None:
    """Define a probe: all in one event, but for those in a function whose name another one
    has too.  These are defined by address, and of an address an event can have one alone."""
    if probe.function not in plan.code.ambiguous:
        attachments.define("lock", f"{plan.code.prefix}{probe.function}+{probe.function_offset}")
        return
    event = f"lock_{len(covered.events)}"
    attachments.define(event, hex(address(probe.section, probe.position.address)))
    covered.events.append(event)


def _deadly(plan: Plan) -> str:
    if plan.builtin or not isinstance(plan.code, ModuleFile):
        return ""
    return codeend.deadly(plan.code, LoadedModule(plan.target.module))


def _traceable(sites: Sequence[Site], covered: Covered) -> list[Site]:
    """Of *sites* those whose lock functions can be traced: the kernel's BTF has them; why
    the others are refused."""
    if not sites:
        return []
    try:
        types = KernelTypes()
    except OSError:
        reason = "its lock function cannot be traced: the kernel has no BTF"
        covered.refused |= {site.number: reason for site in sites}
        return []
    there = []
    for site in sites:
        if types.function(site.lock_function) is None:
            covered.refused[site.number] = f"the kernel's BTF has no {site.lock_function}"
        else:
            there.append(site)
            covered.refused.pop(site.number, None)
    types.close()
    return there


def trace_functions(attachments: Attachments, programs: Programs, covered: Covered) -> list[int]:
    """Attach to the lock functions that sites are seen in; the programs' descriptors."""
    called = {site.lock_function for site in covered.functions}
    names = sorted(called | {site.lock_function for site in covered.leaving})
    if not names:
        return []
    addresses = kernel_functions("|".join(names))
    types = KernelTypes()
    try:
        with all_or_none() as descriptors:
            for name in names:
                patches = {layout.PATCH_FUNCTION: _sign_extended(addresses[name][0])}
                where = (types.function(name) or 0, types.fd)
                ways = [("lock_fentry", libbpf.FENTRY)] if name in called else []
                if LOCK_FUNCTIONS[name].action != "release":
                    ways.insert(0, ("lock_fexit", libbpf.FEXIT))
                for program, kind in ways:
                    descriptors.append(programs.load(program, patches, attach=kind, where=where))
                    attachments.trace(descriptors[-1], kind)
    except OSError as error:
        raise CannotTraceError(
            f"no probe in {name}: {str(error).replace(chr(10), '; ')}",
            "--locks callsite does without probes in lock functions",
        ) from error
    finally:
        types.close()
    return descriptors


def _sign_extended(address: int) -> int:
    """The lower half of an address of kernel text, as a signed number: the text lies in
    the highest 2 GiB, so these 32 bits are enough."""
    low = address & 0xFFFFFFFF
    return low - (1 << 32) if low >> 31 else low


def describe(  # noqa: PLR0913 - the parts of one recording
    programs: Programs,
    plan: Plan,
    covered: Covered,
    address: Address,
    costs: Costs,
    fixed: Mapping[int, int],
) -> dict[int, Probe]:
    """Tell the programs what stands at each address of the target; address -> probe.

    *fixed*: site -> number of its lock class, of those that need not be told by address.
    """
    places = {address(probe.section, probe.position.address): probe for probe in covered.probes}
    returns = {address(site.section, site.after): site for site in covered.functions}
    takers = _takers(plan, covered, address)
    text = programs.config.text = min([*places, *returns, *takers], default=0)
    if max([*places, *returns, *takers], default=0) - text >= programs.place_count:
        raise CannotTraceError("the target's text is larger than the probes know")
    ctypes.memset(ctypes.addressof(programs.places), 0, ctypes.sizeof(programs.places))
    elsewhere = _elsewhere(covered)
    flags = {
        site.number: _flags(site, fixed) for site in plan.sites if site.number not in elsewhere
    }
    programs.config.leaving = bool(covered.leaving)
    leaving = {site.number for site in covered.leaving}
    for where, probe in places.items():
        _describe(programs.places[where - text], probe, flags, costs)
        if probe.position.before in leaving:
            programs.places[where - text].marks |= layout.LEAVES
    for where, site in returns.items():
        entry = programs.places[where - text]
        entry.caller, entry.caller_flags = site.number + 1, _flags(site, fixed)
        entry.cost = _cost(costs.event["function"])
    for where, site in takers.items():
        programs.places[where - text].returning = (site.number + 1) << layout.RW_BITS | _KINDS[
            site.kind
        ]
    return places


def _elsewhere(covered: Covered) -> set[int]:
    """Numbers of the sites that no probe of the target's text sees."""
    return covered.refused.keys() | {site.number for site in covered.functions}


def _takers(plan: Plan, covered: Covered, address: Address) -> dict[int, Site]:
    """Where the call of each site that takes a lock, and is seen there, returns to."""
    elsewhere = _elsewhere(covered)
    return {
        address(site.section, site.after): site
        for site in plan.sites
        if site.action == "acquire" and not site.tail and site.number not in elsewhere
    }


def _cost(nanoseconds: int) -> int:
    """As a place holds it: never 0, which would mean that no probe stood there."""
    return min(max(nanoseconds, 1), _MOST_COST)


def _flags(site: Site, fixed: Mapping[int, int]) -> int:
    lock_class = fixed[site.number] + 1 if site.number in fixed else 0
    return _KINDS[site.kind] | _ACTIONS[site.action] | lock_class << layout.CLASS_SHIFT


def _describe(entry: layout.Place, probe: Probe, flags: Mapping[int, int], costs: Costs) -> None:
    position = probe.position
    if position.after is not None and position.after in flags:
        entry.after = position.after + 1
        entry.after_flags = flags[position.after]
        if position.kept is not None:
            register, entry.kept_offset = position.kept
            entry.kept_reg, entry.marks = REGISTERS.index(register), layout.KEPT
    if position.before is not None and position.before in flags:
        entry.call = position.before + 1
        entry.call_flags = flags[position.before]
    entry.reg = REGISTERS.index(position.register)
    entry.offset = position.offset
    entry.cost = _cost(costs.event[position.method])


def call_sites(plan: Plan, covered: Covered) -> list[CallSite]:
    """Every call site of the target as a recording names it."""
    how: dict[int, str] = {**methods(covered.probes)}
    how |= {site.number: "function" for site in (*covered.functions, *covered.leaving)}
    recorded = []
    for site in plan.sites:
        source = plan.code.source(site)
        reason = covered.refused.get(site.number, "")
        recorded.append(
            CallSite(
                **{name: getattr(site, name) for name in _SAME},
                offset=site.function_offset,
                file=source.file[-limits.NAME :],
                line=source.line,
                inlined=list(source.chain[1:])[: limits.INLINED],
                attached=not reason,
                reason=reason,
                method="" if reason else how.get(site.number, ""),  # type: ignore[arg-type]
            )
        )
    return recorded
