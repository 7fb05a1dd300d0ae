"""What the rules found so far, read from the maps as memory."""

import time

from z3trace.bpf import checklayout
from z3trace.bpf.checklayout import CheckMaps
from z3trace.bpf.programs import Programs
from z3trace.checking.arming import Judged
from z3trace.data import rules
from z3trace.data.checkfile import Edge, Header, Incident, Offence, Progress
from z3trace.data.incident import incident
from z3trace.recording import counters
from z3trace.target.plan import Plan


class Findings:
    """The findings of one check, from when its rules were armed on."""

    def __init__(self, programs: Programs, maps: CheckMaps, plan: Plan, judged: Judged) -> None:
        self._programs, self._maps, self._plan, self._judged = programs, maps, plan, judged
        self._read_up_to = [0] * programs.cpus

    def new_incidents(self, header: Header) -> list[Incident]:
        """What the kernel reported since the last call, in the order of time."""
        incidents = []
        for cpu, checker in enumerate(self._maps.checkers):
            until = int(checker.incidents)
            for number in range(self._read_up_to[cpu], until):
                raw = self._maps.incidents[cpu * checklayout.INCIDENTS + number]
                incidents.append(incident(raw, header))
            self._read_up_to[cpu] = until
        return sorted(incidents, key=lambda incident: incident.time)

    def progress(self) -> Progress:
        """All counts so far."""
        checkers = list(self._maps.checkers)
        entries = counters.entered(self._programs)
        return Progress(
            elapsed=max(time.monotonic_ns() - self._judged.since, 0),
            operations={op.name: entries[op.number] for op in self._plan.operations},
            reached=[counts.site for counts in counters.sites(self._programs, self._plan)],
            conditions=[
                sum(int(checker.conditions[number]) for checker in checkers)
                for number in range(len(self._judged.conditions))
            ],
            edges=self._edges(),
            offences=self._offences(),
            crossed=sum(int(checker.crossed) for checker in checkers),
        )

    def _edges(self) -> list[Edge]:
        edges = []
        for pair, held, acquired in counters.class_pairs(self._plan.target.classes()):
            count = sum(int(checker.edges[pair]) for checker in self._maps.checkers)
            first = self._maps.order[pair]
            if count:
                edges.append(
                    Edge(
                        held=held,
                        acquired=acquired,
                        count=count,
                        held_site=first.outer - 1 if first.outer else None,
                        acquired_site=first.inner - 1 if first.inner else None,
                    )
                )
        return edges

    def _offences(self) -> list[Offence]:
        stride = 2 * self._programs.site_count
        kinds = len(rules.IN_KERNEL)
        counts: dict[tuple[int, int], int] = {}
        # Every other word is a count, see checklayout.Offences.
        words = memoryview(self._maps.offences).cast("B").cast("I")
        for at, count in enumerate(words.tolist()[::2]):
            if count:
                key = (at // stride % kinds, at % stride)
                counts[key] = counts.get(key, 0) + count
        return [
            Offence(rule=rules.IN_KERNEL[rule], site=site - 1 if site else None, count=count)
            for (rule, site), count in sorted(counts.items())
            if rules.IN_KERNEL[rule] != rules.CONDITION_MET
        ]
