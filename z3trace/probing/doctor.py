"""What a recording of a target would see on this kernel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from z3trace.bpf.attachments import Attachments
from z3trace.bpf.btf import KernelTypes
from z3trace.bpf.programs import Programs
from z3trace.data.model import CallSite
from z3trace.probing import calibration, locks, siteclasses, slowpath
from z3trace.probing.choice import SLOW_PATH_MODES, Choice, Price, cheapest, prices
from z3trace.target.plan import Plan, room
from z3trace.words import amount


@dataclass(frozen=True)
class Diagnosis:
    """Operations with the symbol and the way they are probed, and every call site."""

    operations: Sequence[tuple[str, str, str]]
    sites: Sequence[CallSite]
    classes: Mapping[int, str]
    lock_mode: str
    #: Where waits would be seen; none: at the call sites.
    slow_paths: Sequence[str] = ()

    @property
    def unseen(self) -> list[CallSite]:
        return [site for site in self.sites if not site.attached]

    @property
    def verdict(self) -> str:
        """One line: would a recording be whole?"""
        missing = [name for name, symbol, _ in self.operations if not symbol]
        without = f"; this kernel has no {', '.join(missing)}" if missing else ""
        said = []
        if self.unseen:
            where = ", ".join(sorted({site.function for site in self.unseen}))
            sites = amount(len(self.sites), "lock call site")
            said.append(f"{len(self.unseen)} of {sites} not, in {where}")
        if not said:
            return f"a recording with --locks {self.lock_mode} would be whole{without}"
        text = f"a recording with --locks {self.lock_mode} would not be whole: {said[0]}{without}"
        if self.unseen and self.lock_mode == "callsite":
            text += " (--locks hybrid would see them, at a cost to all that takes a lock)"
        return text


def _operations(plan: Plan) -> list[tuple[str, str, str]]:
    try:
        types = KernelTypes("" if plan.builtin else plan.target.module)
    except OSError:
        types = None
    known = types is not None and all(types.function(op.symbol) for op in plan.operations)
    if types is not None:
        types.close()
    way = "trampoline or kprobe" if known else "kprobe"
    there = [(op.name, op.symbol, way) for op in plan.operations]
    return there + [(name, "", reason) for name, reason in plan.missing.items()]


@dataclass(frozen=True)
class PriceList:
    """What each way to see locks costs on this kernel, and the lock mode "auto" here."""

    prices: Sequence[Price]
    cheapest: str


def priced(plan: Plan) -> PriceList:
    """Measure the ways to see locks, on functions of the kernel that are not the target's.

    Takes a few seconds.  CannotTraceError or Z3traceError where it cannot be done.
    """
    programs = Programs(*room(plan.code))
    wanted = slowpath.settled(Choice(lock_mode="auto", slow_paths=True), programs, lambda _: None)
    measured, _ = calibration.measure(programs, wanted)
    probes = plan.code.fewer_probes if wanted.slow_paths else plan.code.probes
    return PriceList(prices(measured), cheapest(measured, probes))


def diagnose(plan: Plan, lock_mode: str) -> Diagnosis:
    """Define every probe a recording would have, see what the kernel refuses, and remove
    them again; nothing is ever armed."""
    paths = _slow_paths(lock_mode)
    attachments = Attachments()
    try:
        choice = Choice(lock_mode=lock_mode, slow_paths=bool(paths))
        covered = locks.cover(attachments, plan, choice)
        sites = locks.call_sites(plan, covered)
    finally:
        attachments.close()
    classes = {site.number: siteclasses.shown(plan, site) for site in plan.sites}
    return Diagnosis(_operations(plan), sites, classes, lock_mode, paths)


def _slow_paths(lock_mode: str) -> list[str]:
    if lock_mode not in SLOW_PATH_MODES:
        return []
    try:
        types = KernelTypes()
    except OSError:
        return []
    paths = slowpath.functions(types)
    types.close()
    return paths
