"""What must be said beside the figures of a comparison, so that nobody reads too much in."""

from collections.abc import Iterator

from z3trace.analysis.figures import stability
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.statistics.verdict import MIN_RUNS


def _coverage(digest: Digest) -> Iterator[str]:
    session = digest.session
    unseen = digest.unseen()
    if not digest.has_locks:
        yield f"{session.label}: locks were not recorded"
    elif unseen:
        yield (
            f"{session.label}: {len(unseen)} of {len(session.sites)} lock call sites "
            f"could not be probed ({digest.unseen_functions()})"
        )
    for operation in session.operations:
        if not operation.attached:
            what = f"operation {operation.name} was not recorded: {operation.reason}"
            yield f"{session.label}: {what}"


def caveats(before: Digest, after: Digest, *, paired: bool) -> Iterator[str]:
    """What a reader of the comparison must know, one sentence each."""
    environment = before.session.environment
    if environment.virtualization != "none":
        yield (
            f"measured in a guest, {environment.virtualization}: "
            "times are not those of real hardware; ratios are what counts"
        )
    if before.session.calibration and after.session.calibration:
        yield "what is corrected is without the probes' cost, as calibrated in this session"
    if before.latency_kind == after.latency_kind == "ops" and before.kind != "ops":
        yield (
            "wait and hold include the cost of the probes, on both sides alike; latency is "
            "from runs that probe operations only, throughput from runs without probes"
        )
    else:
        yield (
            "latency, wait and hold include the cost of the probes, on both sides "
            "alike; throughput is from runs without probes"
        )
    for digest in (before, after):
        yield from _coverage(digest)
        lost, seen = digest.loss()
        label = digest.session.label
        if lost:
            yield f"{label}: {lost} of {lost + seen} events were lost"
        failed = sum(run.status != 0 for run in digest.runs)
        if failed:
            yield f"{label}: the workload failed in {failed} of {len(digest.runs)} runs"
        if not digest.complete:
            yield f"{label}: the recording was cut short"
        yield from stability.notes(digest)
    if not paired:
        yield "the runs of the two sides were not interleaved: drift of the machine is not excluded"
    smallest = min(len(before.probed()), len(after.probed()))
    if smallest < MIN_RUNS:
        yield f"only {smallest} runs a side: no verdicts below {MIN_RUNS}"
