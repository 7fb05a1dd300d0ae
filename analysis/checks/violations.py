"""Incidents, from a check's file and a lost guest's console, as violations by call site."""

from collections.abc import Iterable

from z3trace.analysis.checks.findings import Event, Instance, Places, Violation, spread
from z3trace.data.checkfile import Check, Incident
from z3trace.data.incident import printed
from z3trace.data.rules import CONDITION_MET


def incidents_of(check: Check, console: str) -> list[Incident]:
    """Incidents of the file and of the console, each once, in the order of time."""
    incidents = {incident.key(): incident for incident in printed(console, check.header)}
    incidents |= {incident.key(): incident for incident in check.incidents}
    return sorted(incidents.values(), key=lambda incident: incident.time)


def _instance(incident: Incident, armed: int, place: Places) -> Instance:
    span = max(incident.time - incident.since, 0) / 1e9 if incident.since else None
    waited = incident.rule == "stuck-wait"
    return Instance(
        time=(incident.time - armed) / 1e9,
        task=incident.task,
        task_name=incident.task_name,
        cpu=incident.cpu,
        address=incident.lock,
        held=None if waited else span,
        waited=span if waited else None,
        other_task=incident.other_task,
        events=[
            Event(
                time=(step.time - armed) / 1e9,
                kind=step.kind,
                lock=step.lock,
                place=place(step.site),
            )
            for step in incident.steps
        ],
    )


def violations(check: Check, incidents: Iterable[Incident], place: Places) -> list[Violation]:
    """A violation for each rule broken at each call site, with its incidents in full."""
    grouped: dict[tuple[str, int | None], list[Incident]] = {}
    for incident in incidents:
        if incident.rule != CONDITION_MET:
            grouped.setdefault((incident.rule, incident.site), []).append(incident)
    counted = check.progress.offences if check.progress else []
    counts = {(offence.rule, offence.site): offence.count for offence in counted}
    broken = []
    for key in [*grouped, *(key for key in counts if key not in grouped)]:
        members = grouped.get(key, [])
        first = members[0] if members else None
        broken.append(
            Violation(
                **spread(place(key[1])),
                rule=key[0],
                lock=first.lock_class if first else "",
                operation=first.operation if first else "",
                # The last count before a hang is older than the hang.
                count=max(counts.get(key, 0), len(members)),
                other_lock=first.other_class if first else "",
                other=place.some(first.other) if first else None,
                reverse=[place(n) for n in first.reverse] if first and first.reverse else [],
                instances=[_instance(incident, check.header.armed, place) for incident in members],
            )
        )
    return broken
