"""What the workload of a check reached: operations, lock call sites, conditions.

Silence about the rest is not health.
"""

from collections.abc import Iterable, Sequence

from z3trace.analysis.checks.findings import Condition, Exercised, Places
from z3trace.data.checkfile import Check, Incident


def _conditions(check: Check, incidents: Iterable[Incident]) -> list[Condition]:
    counts = check.progress.conditions if check.progress else []
    met: dict[str, int] = {}
    for incident in incidents:
        if incident.condition:
            met[incident.condition] = met.get(incident.condition, 0) + 1
    conditions = []
    for number, known in enumerate(check.header.conditions):
        count = max(counts[number] if number < len(counts) else 0, met.get(known.name, 0))
        conditions.append(
            Condition(name=known.name, count=None if known.reason else count, reason=known.reason)
        )
    return conditions


def exercised(
    check: Check, incidents: Sequence[Incident], place: Places, *, lost: bool
) -> Exercised:
    """Calls, call sites and conditions that the check saw.

    *lost*: the kernel was, some time after it was last counted; what was not counted by then
    is not known.
    """
    progress, sites = check.progress, check.header.sites
    reached = set(progress.reached if progress else [])
    for incident in incidents:
        reached |= {step.site for step in incident.steps}
        reached |= {site for site in (incident.site, incident.other) if site is not None}
    known = {site.number for site in sites}
    reached &= known
    return Exercised(
        seconds=progress.elapsed / 1e9 if progress else 0.0,
        operations={
            name: None if lost and not count else count
            for name, count in (progress.operations if progress else {}).items()
        },
        sites=len(sites),
        reached=len(reached),
        percent=100 * len(reached) / len(sites) if sites else 0.0,
        unreached=[place(s.number) for s in sites if s.attached and s.number not in reached],
        unseen=[place(s.number) for s in sites if not s.attached],
        conditions=_conditions(check, incidents),
    )
