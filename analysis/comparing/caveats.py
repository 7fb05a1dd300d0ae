"""What must be said beside the figures of a comparison, so that nobody reads too much in."""

from collections import Counter
from collections.abc import Iterator

from z3trace.analysis.comparing import mismatch
from z3trace.analysis.figures import metrics, stability, ways
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.statistics.verdict import MIN_RUNS
from z3trace.words import amount, plural

_TESTED = [metric.name for metric in metrics.METRICS if metric.tested]
_UNUSED = {
    "warm-up": "to warm up",
    "disturbed": "that the host disturbed (made again)",
    "failed": "whose workload failed",
}


def _coverage(digest: Digest) -> Iterator[str]:
    session = digest.session
    unseen = digest.unseen()
    if not digest.has_locks and not digest.of_way("timed"):
        yield "locks were not recorded"
    elif unseen and digest.has_locks:
        yield (
            f"{len(unseen)} of {amount(len(session.sites), 'lock call site')} "
            f"could not be probed ({digest.unseen_functions()})"
        )
    for operation in session.operations:
        if not operation.attached:
            yield f"operation {operation.name} was not recorded: {operation.reason}"


def _unused(digest: Digest) -> Iterator[str]:
    """Runs that count in no figure, by the reason."""
    reasons = Counter(run.unused for run in digest.runs if run.unused)
    told = [f"{reasons[reason]} {words}" for reason, words in _UNUSED.items() if reasons[reason]]
    interrupted = sum(run.interrupted for run in digest.runs)
    told += [f"{interrupted} interrupted"] if interrupted else []
    if told:
        yield f"not counted: {', '.join(told)} of {amount(len(digest.runs), 'run')}"


def _used(digest: Digest, metric: str) -> list[str]:
    """The ways that figures of a metric are taken from."""
    used = {digest.way(of) for of in digest.subjects() if of.metric == metric}
    return ways.order(way for way in used if way)


def _probed(before: Digest) -> Iterator[str]:
    """Of figures that the probes' own time is in."""
    if {"ops", "all"} & set(_used(before, "latency")):
        yield "latencies contain the probes' own time, on both sides alike"
    if {"all", "locks"} & {*_used(before, "wait"), *_used(before, "hold")}:
        yield (
            "wait and hold were seen with probes on all locks, which prolong the very holds "
            "that they show: take them for what was covered, not for times"
        )


def _of_side(digest: Digest) -> Iterator[str]:
    """What is to be said of one recording, which may hold for the other one as well."""
    yield from _coverage(digest)
    lost, seen = digest.loss()
    if lost:
        yield f"{lost} of {amount(lost + seen, 'event')} {plural(lost, 'was', 'were')} lost"
    failed, every = digest.failures()
    if failed:
        counted = any(run.failed and run.counts for run in digest.runs)
        yield f"the workload failed in {failed} of {amount(every, 'run')}" + (
            ", which count all the same" if counted else ""
        )
    if not digest.complete:
        yield "the recording was cut short"
    yield from _unused(digest)
    yield from stability.notes(digest)


def _alike(before: Digest, after: Digest) -> Iterator[str]:
    """That there is nothing to compare, or nothing but noise."""
    b, a = before.session.module, after.session.module
    if mismatch.one_recording(before, after):
        yield "both sides are the same recording, compared with itself: it says nothing"
    elif b.build_id and b.build_id == a.build_id:
        yield (
            f"both sides are the same build of {b.name} (build id {b.build_id[:12]}): what "
            "differs between them is noise, or was not in the module"
        )


def caveats(
    before: Digest, after: Digest, *, paired: bool, needed: int = MIN_RUNS
) -> Iterator[str]:
    """What a reader of the comparison must know, one sentence each; *needed*: the least
    number of runs a side with which a difference can be significant."""
    yield from _alike(before, after)
    environment = before.session.environment
    if environment.virtualization != "none":
        yield (
            f"measured in a guest, {environment.virtualization}: "
            "times are not those of real hardware; ratios are what counts"
        )
    yield from _probed(before)
    told: dict[str, list[str]] = {}
    for digest in (before, after):
        for text in _of_side(digest):
            told.setdefault(text, []).append(digest.session.label)
    yield from (f"{' and '.join(labels)}: {text}" for text, labels in told.items())
    if max(before.boots, after.boots) > 1:
        yield _boots(before, after)
    elif not paired:
        yield "the runs of the two sides were not interleaved: drift of the machine is not excluded"
    yield from _few(before, after, needed)


def _boots(before: Digest, after: Digest) -> str:
    b, a = before.boots, after.boots
    number = amount(b, "boot") if a == b else f"{b} and {amount(a, 'boot')}"
    return (
        f"a side was recorded in {number}, in turn: the boot is the unit of every test, and a "
        "figure of a boot is the median of its runs"
    )


def _few(before: Digest, after: Digest, needed: int) -> Iterator[str]:
    """Ways that figures come from with too few runs for a verdict."""
    used = ways.order({way for metric in _TESTED for way in _used(before, metric)})
    runs = {way: min(before.units(way), after.units(way)) for way in used}
    few = [f"{n} with {ways.words(way)}" for way, n in runs.items() if n < needed]
    if few:
        yield (
            f"only {', '.join(few)} a side: with fewer than {needed} runs no difference, "
            "however large, can be significant among so many figures"
        )
