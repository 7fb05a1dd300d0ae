"""Whether two recordings may be compared: what differs that matters, what was lost."""

from z3trace.analysis.comparing import loss
from z3trace.analysis.figures import metrics, ways
from z3trace.analysis.figures.recording import LOSS_LIMIT, Digest
from z3trace.columns import table
from z3trace.errors import IncomparableError
from z3trace.words import amount


def coverage(digest: Digest) -> str:
    """Which lock call sites were seen, in words that are equal where coverage is."""
    if not digest.has_locks:
        return "no locks"
    missing = digest.unseen_functions()
    return f"all but those in {missing}" if missing else "all call sites"


def _operations(digest: Digest) -> str:
    return ", ".join(
        f"{operation.name} ({operation.method or 'probe'})"
        for operation in digest.session.operations
        if operation.attached
    )


def _seed(digest: Digest) -> int:
    return min((run.seed for run in digest.runs), default=0)


def _timed(digest: Digest) -> bool:
    """Whether all figures of its locks come from a timed build, which needs no call site."""
    used = {digest.way(of) for of in digest.subjects() if of.metric in ("wait", "hold")}
    return used - {""} == {"timed"}


def mismatches(before: Digest, after: Digest) -> list[tuple[str, str, str]]:
    """(what, before, after) of every difference that forbids a comparison."""
    b, a = before.session, after.session
    pairs = [
        ("target", b.target, a.target),
        ("kernel", b.environment.kernel, a.environment.kernel),
        ("machine", b.environment.machine, a.environment.machine),
        ("CPU", b.environment.cpu, a.environment.cpu),
        ("CPUs", b.environment.cpus, a.environment.cpus),
        ("virtualization", b.environment.virtualization, a.environment.virtualization),
        ("clock source", b.environment.clocksource, a.environment.clocksource),
        ("workload", b.workload, a.workload),
        ("first seed", _seed(before), _seed(after)),
        ("probe programs", b.probe_digest, a.probe_digest),
        ("lock mode", b.lock_mode, a.lock_mode),
        ("waits seen", b.waits or "call-site", a.waits or "call-site"),
        ("operations", _operations(before), _operations(after)),
        ("bucket scheme", b.bucket_scheme, a.bucket_scheme),
    ]
    if not (_timed(before) and _timed(after)):
        pairs.append(("coverage", coverage(before), coverage(after)))
    return [(name, str(x), str(y)) for name, x, y in pairs if x != y]


def one_recording(before: Digest, after: Digest) -> bool:
    """Whether both are the same, under whatever names."""
    return bool(before.runs) and before.content() == after.content()


def too_much_lost(digest: Digest) -> list[str]:
    """The ways that tested figures come from and that lost so many events that no verdict
    stands on the rest."""
    used = dict.fromkeys(
        digest.way(of) for of in digest.subjects() if metrics.BY_NAME[of.metric].tested
    )
    return [way for way in used if digest.damaged(way)]


def check(before: Digest, after: Digest) -> None:
    """IncomparableError, with a table, if the two may not be compared."""
    differences = mismatches(before, after)
    if differences:
        rows = [[name, x or "-", y or "-"] for name, x, y in differences]
        shown = "\n".join(f"  {line}" for line in table(["", "before", "after"], rows, 3))
        raise IncomparableError(
            f"{before.path} and {after.path} cannot be compared, they differ in:\n{shown}",
            "--allow-mismatch compares all the same and says so in the report",
        )
    for digest in (before, after):
        for way in too_much_lost(digest):
            lost, seen = digest.loss(way)
            why = loss.cause(digest, way)
            raise IncomparableError(
                f"{digest.path}: {lost} of {amount(lost + seen, 'event')} were lost "
                f"({ways.words(way)}), more than {LOSS_LIMIT:.1%}: no verdict can be given; "
                f"{why.said}",
                f"{why.hint}; --allow-mismatch shows the figures without a verdict",
            )
