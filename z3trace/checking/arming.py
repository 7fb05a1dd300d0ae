"""Judge lock discipline while a workload runs: arm the rules, read what they found.

Rules are judged in the kernel, at the lock event (probes/check.bpf.h).  This side
decides which rules can be judged here, and reads findings as memory.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from z3trace.bpf import checklayout, cpus, layout
from z3trace.bpf.kcore import memory_map
from z3trace.bpf.programs import Programs
from z3trace.data import rules
from z3trace.data.checkfile import (
    ConditionInfo,
    Edge,
    Header,
    Incident,
    Offence,
    Progress,
)
from z3trace.data.incident import incident
from z3trace.errors import CannotTraceError
from z3trace.probing.arming import Armed
from z3trace.probing.choice import Choice
from z3trace.recording import counters, environment
from z3trace.recording.run import Recorder, probe_digest, tool_version
from z3trace.target.plan import Plan, resolve_symbol

_TICK = 250_000_000  # ns between looks at the task on a CPU


@dataclass(frozen=True)
class Limits:
    """Seconds: a longer hold, a longer wait is told of."""

    hold: float = 2.0
    wait: float = 2.0
    console: bool = False


class Checker(Recorder):
    """A recorder whose programs judge too; they must be compiled with ``check``."""

    def __init__(self, programs: Programs, plan: Plan, choice: Choice, limits: Limits) -> None:
        super().__init__(programs, plan, choice)
        if programs.check is None:
            raise ValueError("the programs were compiled without the rules")
        self.maps = programs.check
        self.limits = limits
        self.not_judged: dict[str, str] = {}
        self.conditions: list[ConditionInfo] = []
        self.armed_at = 0
        self._read_up_to = [0] * programs.cpus

    def attach(self, probe: str = "all") -> Armed:
        """Attach the probes of a recording and those of the rules; judging begins then."""
        armed = super().attach(probe)
        try:
            self._arm(armed)
        except BaseException:
            armed.close()
            raise
        return armed

    def _arm(self, armed: Armed) -> None:
        book = self.maps.rulebook
        self._read_up_to = [0] * self._programs.cpus
        self.not_judged = self._unseen(armed)
        attachments, load = armed.attachments, self._programs.load
        book.long_hold = int(self.limits.hold * 1e9)
        book.stuck = int(self.limits.wait * 1e9)
        book.console = self.limits.console
        self._arm_contracts()
        self._arm_frees(armed)
        self.conditions = self._arm_conditions(armed)
        attachments.trace_switches(load("switch"))
        attachments.tick(load("tick"), _TICK, cpus.online())
        book.judged = sum(
            1 << number
            for number, rule in enumerate(rules.IN_KERNEL)
            if rule and rule not in self.not_judged
        )
        book.armed = self.armed_at = time.monotonic_ns()
        armed.closing = self._disarm

    def _disarm(self) -> None:
        self.maps.rulebook.armed = 0

    def _unseen(self, armed: Armed) -> dict[str, str]:
        """Rules that cannot be judged as not every call site is seen, and why."""
        missing = [site for site in armed.sites if not site.attached]
        if not missing:
            return {}
        where = ", ".join(sorted({site.function for site in missing}))
        reason = f"{len(missing)} of {len(armed.sites)} lock call sites are not seen, in {where}"
        return {rule.name: reason for rule in rules.RULES if rule.paired}

    def _arm_contracts(self) -> None:
        classes = self.plan.target.classes()
        for number, rule in enumerate(self.plan.target.operations.values()):
            mask = sum(1 << classes.index(name) for name in rule.holds)
            self.maps.rulebook.holds[number] = mask

    def _arm_frees(self, armed: Armed) -> None:
        functions = self.plan.target.frees
        book = self.maps.rulebook
        book.pages = 0
        if not functions:
            self.not_judged["free-while-held"] = "the target names no function that frees"
            return
        try:
            book.pages, book.memory = memory_map()
            for function in functions:
                armed.attachments.define("free", function)
        except (CannotTraceError, OSError) as error:
            self.not_judged["free-while-held"] = str(error)
            return
        in_page = [rule for rule in self.plan.rules if rule.kind == layout.RULE_PAGE]
        book.page_lock = in_page[0].offset if in_page else 0
        book.page_class = in_page[0].lock_class if in_page else 0
        armed.attachments.enable("free", self._programs.load("free"))

    def _arm_conditions(self, armed: Armed) -> list[ConditionInfo]:
        address, found = self.plan.address(), []
        for number, condition in enumerate(self.plan.target.conditions):
            reason = ""
            try:
                _, symbol = resolve_symbol(condition.functions, self.plan.code.functions)
                value = condition.value
                if condition.struct and condition.member:
                    value = self.plan.code.members(condition.struct)[condition.member]
                patches = {
                    layout.PATCH_CONDITION: number,
                    layout.PATCH_TEST: rules.TESTS.index(condition.test),
                    layout.PATCH_VALUE: value,
                    layout.PATCH_ARGUMENT: condition.argument,
                }
                where = hex(address(*self.plan.code.functions[symbol]))
                event = f"condition_{number}"
                armed.attachments.define(event, where, on_return=condition.on_return)
                armed.attachments.enable(event, self._programs.load("condition", patches))
            except (LookupError, OSError) as error:
                reason = str(error)
            found.append(ConditionInfo(name=condition.name, reason=reason))
        return found

    def header(self, label: str, workload: str, command: list[str]) -> Header:
        """What is checked; the probes must be attached."""
        assert self.coverage is not None  # noqa: S101 - callers attach first
        return Header(
            tool=f"z3trace {tool_version()}",
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            target=self.plan.target.name,
            label=label,
            environment=environment.collect(),
            module=self.module(),
            workload=workload,
            command=command,
            lock_mode=self.choice.lock_mode,
            probe_digest=probe_digest(),
            operations=self.coverage.operations,
            operation_names=list(self.plan.target.operations),
            locks=self.plan.target.classes(),
            sites=self.coverage.sites,
            conditions=self.conditions,
            not_judged=self.not_judged,
            armed=self.armed_at,
        )

    def new_incidents(self, header: Header) -> list[Incident]:
        """What the kernel reported since the last call, in the order of time."""
        found = []
        for cpu, checker in enumerate(self.maps.checkers):
            until = int(checker.incidents)
            for number in range(self._read_up_to[cpu], until):
                raw = self.maps.incidents[cpu * checklayout.INCIDENTS + number]
                found.append(incident(raw, header))
            self._read_up_to[cpu] = until
        return sorted(found, key=lambda one: one.time)

    def progress(self) -> Progress:
        """All counts so far."""
        checkers = list(self.maps.checkers)
        entries = counters.entered(self._programs)
        return Progress(
            elapsed=max(time.monotonic_ns() - self.armed_at, 0),
            operations={op.name: entries[op.number] for op in self.plan.operations},
            reached=[counts.site for counts in counters.sites(self._programs, self.plan)],
            conditions=[
                sum(int(checker.conditions[number]) for checker in checkers)
                for number in range(len(self.conditions))
            ],
            edges=self._edges(),
            offences=self._offences(),
            crossed=sum(int(checker.crossed) for checker in checkers),
        )

    def _edges(self) -> list[Edge]:
        classes, found = self.plan.target.classes(), []
        for outer, held in enumerate(classes):
            for inner, acquired in enumerate(classes):
                at = outer * layout.CLASSES + inner
                count = sum(int(checker.edges[at]) for checker in self.maps.checkers)
                first = self.maps.order[at]
                if count:
                    found.append(
                        Edge(
                            held=held,
                            acquired=acquired,
                            count=count,
                            held_site=first.outer - 1 if first.outer else None,
                            acquired_site=first.inner - 1 if first.inner else None,
                        )
                    )
        return found

    def _offences(self) -> list[Offence]:
        stride = 2 * self._programs.site_count
        kinds = len(rules.IN_KERNEL)
        counts: dict[tuple[int, int], int] = {}
        # Every other word is a count, see checklayout.Offences.
        words = memoryview(self.maps.offences).cast("B").cast("I")
        for at, count in enumerate(words.tolist()[::2]):
            if count:
                key = (at // stride % kinds, at % stride)
                counts[key] = counts.get(key, 0) + count
        return [
            Offence(rule=rules.IN_KERNEL[rule], site=site - 1 if site else None, count=count)
            for (rule, site), count in sorted(counts.items())
            if rules.IN_KERNEL[rule] != rules.CONDITION_MET
        ]
