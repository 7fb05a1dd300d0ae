"""The steps of a review: check base and patched source in guests, by several mixes and
within a budget, and record both for the figures."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from z3trace.commands import guesthalves
from z3trace.commands.options import GuestOptions
from z3trace.commands.screen import say
from z3trace.errors import GuestLostError, Z3traceError

if TYPE_CHECKING:
    from z3trace.analysis.checks.findings import Report
    from z3trace.analysis.comparing.comparison import Comparison
    from z3trace.kernels.build import Module
    from z3trace.kernels.layout import Kernel
    from z3trace.kernels.variant import Variant
    from z3trace.target.definition import Target
    from z3trace.workloads.choose import Order

EVIDENCE = "check.z3c"
#: A guest takes no longer than this times the longest one so far, as a rule.
_MARGIN = 1.3


@dataclass(frozen=True)
class Setting:
    """What all guests of a review have in common; *name*: the target as it was named."""

    kernel: "Kernel"
    target: "Target"
    name: str
    guest: GuestOptions
    stranger: bool
    boxed: bool
    seed: int
    keep_paths: bool
    command: list[str]


@dataclass(frozen=True)
class Asked:
    """*workload*: the only one of the checks, or None for mixes; *figures*: the workload of
    the recordings, None for none; *runs* a side; *budget* in seconds."""

    workload: "Order | None"
    figures: "Order | None"
    runs: int
    budget: float


@dataclass(frozen=True)
class Found:
    """The checks of both sides, the comparison, and what was not done."""

    before: "Report | None"
    after: "Report | None"
    comparison: "Comparison | None"
    left: list[str]


@dataclass
class Budget:
    """Seconds of the whole review, and what a guest took so far."""

    seconds: float
    started: float = field(default_factory=time.monotonic)
    longest: float = 0.0

    @property
    def left(self) -> float:
        return self.seconds - (time.monotonic() - self.started)

    def allows(self) -> bool:
        """Whether one more guest is likely to end in time."""
        return self.left > _MARGIN * self.longest


@dataclass
class Checks:
    """The checks of one build, one for each mix that was run.  *directory*: where the
    evidence of each goes."""

    setting: Setting
    module: "Module"
    directory: Path
    budget: Budget
    reports: dict[str, "Report"] = field(default_factory=dict)
    #: Mixes that were tried; of those that left no evidence, why.
    tried: set[str] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)

    def run(self, name: str, workload: "Order") -> "Report | None":
        """Check with the mix called *name*, once; None if the guest left no evidence."""
        if name in self.tried:
            return self.reports.get(name)
        self.tried.add(name)
        began = time.monotonic()
        try:
            self.reports[name] = self._report(name, workload)
        except Z3traceError as error:
            self.failed.append(f"{self.module.variant}, {name}: {error.message.splitlines()[0]}")
            say(self.failed[-1])
        self.budget.longest = max(self.budget.longest, time.monotonic() - began)
        return self.reports.get(name)

    def _report(self, name: str, workload: "Order") -> "Report":
        from z3trace.analysis.checks import judgement
        from z3trace.data import checkfile
        from z3trace.guest.spec import CheckSpec

        directory = self.directory / f"{len(self.tried)}-{name.replace(' ', '-')}"
        directory.mkdir(parents=True)
        setting, identity = self.setting, checkfile.new_identity()
        spec = CheckSpec(
            target=setting.name,
            label=self.module.variant,
            module=str(self.module.path),
            workload=workload.text,
            argv=list(workload.argv),
            lock_mode="hybrid",
            seed=setting.seed,
            hold=2.0,
            wait=2.0,
            keep_paths=setting.keep_paths,
            command=setting.command,
            output=EVIDENCE,
            identity=identity,
        )
        machine = setting.guest.machine(
            append=guesthalves.CHECKED, stranger=setting.stranger, boxed=setting.boxed
        )
        say(f"mix '{name}'")
        file = directory / EVIDENCE
        console, lost, _ = guesthalves.check(setting.kernel, spec, machine, file)
        report = judgement.report(checkfile.read(file, identity), console, lost)
        return located(report, setting, self.module.path)

    def merged(self) -> "Report | None":
        """All of them as one."""
        from z3trace.analysis.checks.merging import merged

        return merged(list(self.reports.values())) if self.reports else None


def run(
    setting: Setting,
    variants: "Sequence[Variant]",
    modules: "Sequence[Module]",
    asked: Asked,
    directory: Path,
) -> Found:
    """Everything that runs in guests.  The first mix and the figures come first, whatever
    the budget is; further mixes take what is left of it."""
    from z3trace.workloads import mixes
    from z3trace.workloads.choose import Order

    budget = Budget(asked.budget)
    base, patched = (
        Checks(setting, module, directory / side, budget)
        for module, side in zip(modules, ("base", "patched"), strict=True)
    )
    first = mixes.of(setting.target.defaults.check)[0]
    for checks in (base, patched):
        checks.run(first.name, asked.workload or Order(first.workload(setting.target.name)))
    comparison, left = None, []
    if asked.figures:
        comparison, why = figures(setting, variants, modules, asked.figures, asked.runs, directory)
        left += [why] if why else []
    if not asked.workload and patched.reports:
        left += look_on(base, patched, setting.target)
    left += [f"Not checked: {why}." for why in (*base.failed, *patched.failed)]
    return Found(base.merged(), patched.merged(), comparison, left)


def located(report: "Report", setting: Setting, module: Path) -> "Report":
    """The report with the source lines of what killed the kernel."""
    from msgspec import structs

    from z3trace.kernels import lines

    deaths = []
    for death in report.deaths:
        place = death.place
        if place.function:
            where = (setting.target.source, place.function, place.offset)
            found = lines.of(module, *where, boxed=setting.boxed)
            place = structs.replace(place, **found)
        deaths.append(structs.replace(death, place=place))
    return structs.replace(report, deaths=deaths)


def look_on(base: Checks, patched: Checks, target: "Target") -> list[str]:
    """Check further mixes while the budget lasts and something was not reached, or a guest
    was lost; the base too with a mix that showed something new.  What was left undone."""
    from z3trace.workloads import mixes
    from z3trace.workloads.choose import Order

    known = mixes.of(target.defaults.check)
    while True:
        mix = mixes.following(known, patched.tried, missing(patched))
        if mix is None or not _worth_it(patched):
            return []
        if not patched.budget.allows():
            undone = [each.name for each in known if each.name not in patched.tried]
            minutes = patched.budget.seconds / 60
            return [
                f"The budget of {minutes:.0f} minutes was over before these mixes: "
                f"{', '.join(undone)}."
            ]
        both(base, patched, mix.name, Order(mix.workload(target.name)))


def both(base: Checks, patched: Checks, name: str, workload: "Order") -> None:
    """Check the patched source with a mix, and the base if that showed anything that the
    base has not shown: a finding is the patch's only if the base had its chance."""
    from z3trace.analysis.report.remarks import key

    report = patched.run(name, workload)
    if report is None:
        return
    known = {key(violation) for each in base.reports.values() for violation in each.violations}
    new = {key(violation) for violation in report.violations} - known
    if (new or report.deaths) and base.budget.allows():
        base.run(name, workload)


def missing(checks: Checks) -> list[str]:
    """Names of the conditions and operations that no mix met.  Of operations a guest that
    was lost may have made many and counted none."""
    report = checks.merged()
    if report is None:
        return []
    conditions = [each.name for each in report.exercised.conditions if each.count == 0]
    operations = {} if report.hang else report.exercised.operations
    return conditions + [name for name, n in operations.items() if not n]


def _worth_it(checks: Checks) -> bool:
    report = checks.merged()
    lost = any(each.hang for each in checks.reports.values())
    return report is None or bool(lost or missing(checks) or report.exercised.unreached)


def figures(
    setting: Setting,
    variants: "Sequence[Variant]",
    modules: "Sequence[Module]",
    workload: "Order",
    runs: int,
    directory: Path,
) -> "tuple[Comparison | None, str]":
    """The comparison of both sides, or why there is none."""
    from z3trace.analysis.comparing.comparison import compare
    from z3trace.analysis.figures.recording import Digest
    from z3trace.commands.ab import RECORDINGS
    from z3trace.guest import spec
    from z3trace.recording import repetitions

    source, boxed = setting.target.source, setting.boxed
    instrumented = guesthalves.timed(setting.kernel, source, list(variants), boxed=boxed)
    work = workload.made()
    asked = repetitions.Asked(
        runs=runs,
        classes=setting.target.classes()[1:],
        timed=bool(instrumented),
        clocks=work.clocks,
        own_lock=work.own_lock,
    )
    pair = spec.PairSpec(
        target=setting.name,
        workload=workload.text,
        argv=list(workload.argv),
        runs={way.name: n for way, n in guesthalves.counts(setting.target, asked).items()},
        seed=setting.seed,
        lock_mode="callsite",
        waits="slow-path",
        calibrate=True,
        keep_paths=setting.keep_paths,
        command=setting.command,
        sides=guesthalves.sides(modules, instrumented, RECORDINGS),
    )
    machine = setting.guest.machine(stranger=setting.stranger, boxed=boxed)
    say(f"booting {setting.kernel.release}, recording both")
    try:
        status = guesthalves.pair(setting.kernel, pair, machine, directory, RECORDINGS)
    except GuestLostError as error:
        return None, f"No figures: {error.message.splitlines()[0]}."
    except Z3traceError as error:
        return None, f"No figures: {error.message.splitlines()[0]}."
    if status:
        return None, f"No figures: the recording ended with status {status}."
    return compare(*(Digest.read(directory / name) for name in RECORDINGS)), ""
