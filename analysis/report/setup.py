"""The set-up text of a comparison: all that is needed to judge and repeat the measurement."""

from z3trace.analysis.comparing.comparison import Comparison
from z3trace.analysis.figures import ways
from z3trace.analysis.figures.recording import Digest
from z3trace.data.model import Session


def facts(comparison: Comparison) -> list[tuple[str, str]]:
    """(name, value) of everything needed to judge and repeat the measurement."""
    session = comparison.before.session
    environment = session.environment
    return [
        ("kernel", environment.kernel),
        ("machine", f"{environment.cpus} CPUs, {environment.cpu or environment.machine}"),
        ("virtualization", environment.virtualization),
        ("preemption", environment.preemption or "unknown"),
        ("clock", environment.clocksource or "unknown"),
        ("target", session.target),
        ("before", _variant(comparison.before)),
        ("after", _variant(comparison.after)),
        ("workload", session.workload),
        ("lock probes", lock_probes(session)),
        ("tool", session.tool),
        ("command", " ".join(session.command)),
    ]


def brief(comparison: Comparison) -> list[tuple[str, str]]:
    """How it was measured, in six lines."""
    session = comparison.before.session
    environment = session.environment
    machine = f"{environment.cpus} CPUs, {environment.cpu or environment.machine}"
    if environment.virtualization != "none":
        machine += f"; {environment.virtualization}"
    kernel = [environment.kernel]
    kernel += [f"{environment.preemption} preemption"] if environment.preemption else []
    kernel += [f"clock {environment.clocksource}"] if environment.clocksource else []
    return [
        ("kernel", ", ".join(kernel)),
        ("machine", machine),
        ("sides", f"{_variant(comparison.before)} -> {_variant(comparison.after)}"),
        ("workload", session.workload),
        ("runs", runs(comparison)),
        ("tool", f"{session.tool}, lock probes: {lock_probes(session)}"),
    ]


def lock_probes(session: Session) -> str:
    """The lock mode, and where waits are seen if that is not the call site."""
    if session.waits == "slow-path" and session.lock_mode != "none":
        return f"{session.lock_mode}, waits in the slow paths of the lock functions"
    return session.lock_mode


def _variant(digest: Digest) -> str:
    module = digest.session.module
    text = digest.session.label
    if module.digest:
        text += f" (built, {module.digest})"
    elif module.source_version:
        text += f" ({module.origin}, srcversion {module.source_version})"
    return text


def runs(comparison: Comparison) -> str:
    """How many runs of each way there are a side, and in what order they were made."""
    b, a = comparison.before, comparison.after
    turn = "interleaved" if comparison.paired else "one side after the other"
    if max(b.boots, a.boots) > 1:
        turn = f"in {b.boots} and {a.boots} boots, in turn"
    alike: dict[str, list[str]] = {}
    for way in ways.order({*b.ways, *a.ways}):
        before, after = len(b.of_way(way)), len(a.of_way(way))
        number = str(before) if before == after else f"{before} and {after}"
        alike.setdefault(number, []).append(ways.words(way))
    told = [f"{number} with {', '.join(words)}" for number, words in alike.items()]
    return f"a side {'; '.join(told)}; {turn}"


def lock_members(comparison: Comparison) -> list[tuple[str, str, str]]:
    """(lock class, members before, members after)."""
    after = {lock.name: ", ".join(lock.members) for lock in comparison.after.session.locks}
    return [
        (lock.name, ", ".join(lock.members) or "-", after.get(lock.name) or "-")
        for lock in comparison.before.session.locks
        if lock.members or after.get(lock.name)
    ]
