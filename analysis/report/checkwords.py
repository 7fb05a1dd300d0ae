"""A check's findings put into words, the same in every form of its report."""

from pathlib import Path
from textwrap import shorten

from z3trace.analysis.checks.findings import Event, Instance, Place, Report, Violation
from z3trace.data.rules import BY_NAME, Rule
from z3trace.words import amount

#: Of a rule that this version does not know.
_UNKNOWN = Rule("", None, "")
#: Characters of what the console said that a sentence has room for.
_MOST_WORDS = 60
UNCOUNTED = "The counts below end {:.1f} s before the last finding: more was reached"


def source(place: Place) -> str:
    """``file:line`` where that is known."""
    return f"{Path(place.file).name}:{place.line}" if place.file else ""


def where(place: Place) -> str:
    """``function+0x12 (file:line, inlined < chain)``."""
    if not place.function:
        return "unknown"
    inside = ", ".join(
        part for part in (source(place), " < ".join(reversed(place.inlined))) if part
    )
    return f"{place.function}+{place.offset:#x}" + (f" ({inside})" if inside else "")


def meaning(violation: Violation) -> str:
    """What the broken rule says."""
    return BY_NAME.get(violation.rule, _UNKNOWN).meaning


def places(violation: Violation) -> list[tuple[str, str]]:
    """(role, place) of everything a violation points to."""
    rule = BY_NAME.get(violation.rule, _UNKNOWN)
    pointed = [(rule.here, where(violation.place))] if violation.function else []
    if violation.other:
        pointed.append((rule.there, where(violation.other)))
    if violation.reverse:
        chain = ", then ".join(where(place) for place in violation.reverse)
        pointed.append(("other order", chain))
    return pointed


def _seconds(value: float) -> str:
    return f"{value:.6f} s"


def circumstances(instance: Instance) -> str:
    """Who, where and when, in one sentence."""
    who = f"at {_seconds(instance.time)}: {instance.task_name or 'task'} {instance.task}"
    who += f", CPU {instance.cpu}"
    words = [who, f"lock {instance.address}"]
    if instance.waited is not None:
        words.append(f"waiting for {_seconds(instance.waited)}")
    elif instance.held is not None:
        words.append(f"held for {_seconds(instance.held)}")
    if instance.other_task:
        words.append(f"held by task {instance.other_task}")
    return ", ".join(words)


def event(lock_event: Event) -> str:
    """A lock event of the task before the incident, in one line."""
    place = lock_event.place
    at = source(place) or f"{place.function}+{place.offset:#x}"
    return f"{lock_event.time:.6f} {lock_event.kind} {lock_event.lock} {at} {place.function}"


def title(violation: Violation) -> str:
    """The rule, the locks, the operation, and how often."""
    locks = violation.lock + (f" under {violation.other_lock}" if violation.other_lock else "")
    parts = [violation.rule]
    if locks:
        parts.append(f"lock {locks}")
    if violation.operation:
        parts.append(f"operation {violation.operation}")
    return ", ".join([*parts, times(violation.count)])


def times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def operations(report: Report) -> list[tuple[str, str]]:
    """(operation, how often it was called): a lost kernel was not counted to its end."""
    least = "at least " if report.hang else ""
    return [
        (name, "unknown" if count is None else f"{least}{count}")
        for name, count in report.exercised.operations.items()
    ]


def summary(report: Report) -> str:
    """One sentence: what was found, or what was exercised without finding anything."""
    done = report.exercised
    made = sum(count or 0 for count in done.operations.values())
    least = "at least " if report.hang else ""
    sites = amount(done.sites, "lock call site")
    scope = f"{least}{amount(made, 'operation')}, {done.reached} of {sites} ({done.percent:.0f} %)"
    broken = len(report.violations)
    said = amount(broken, "violation")
    if report.deaths:
        words = shorten(report.deaths[0].words, _MOST_WORDS, placeholder=" ..")
        said += f" and what killed the kernel ({words})"
    if report.hang and report.hang.uncounted:
        # The counts are older than what was found.
        lost = "the kernel was lost"
        return (
            f"{said}, and {lost}"
            if broken or report.deaths
            else f"{lost}, no rule was seen broken before"
        )
    if report.verdict == "violations":
        return f"{said} in {scope}"
    if report.verdict == "lost":
        return f"the kernel was lost, no rule was seen broken before, in {scope}"
    if report.verdict == "incomplete":
        return f"no violation seen in {scope}, but not everything could be judged"
    return f"no violation in {scope}"
