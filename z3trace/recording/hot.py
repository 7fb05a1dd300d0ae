"""Which functions of a module are hot: how often a workload calls each, and how long they
take, by runs with probes on some of them at a time."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from z3trace.bpf import layout
from z3trace.data.model import Run
from z3trace.data.ways import OPS
from z3trace.errors import Z3traceError
from z3trace.recording import loading, session, sides
from z3trace.recording.schedule import Step
from z3trace.target.definition import OperationRule, Target
from z3trace.workloads.protocol import Workload

#: Functions that are looked at, and so the runs that it takes.
MOST = 8 * layout.OPERATIONS


@dataclass(frozen=True)
class Use:
    """*calls*, and the *time* from entry to return of all of them, ns."""

    calls: int
    time: int


def measure(
    module: str,
    functions: Sequence[str],
    work: Workload,
    say: Callable[[str], None],
    load: bool = False,
) -> dict[str, Use]:
    """The use of each of *functions*, of which the first ``MOST`` are looked at; *load*: load
    the module for it.  Z3traceError if the workload fails."""
    found: dict[str, Use] = {}
    looked_at = functions[:MOST]
    batches = [
        looked_at[at : at + layout.OPERATIONS] for at in range(0, len(looked_at), layout.OPERATIONS)
    ]
    for number, batch in enumerate(batches, 1):
        say(f"run {number} of {len(batches)}: {', '.join(batch)}")
        found |= _used(_run(module, batch, work, load=load), batch)
    return found


def _used(run: Run, functions: Sequence[str]) -> Mapping[str, Use]:
    times = {each.operation: each.sum for each in run.series if each.metric == "latency"}
    return {
        functions[int(counts.operation[1:])]: Use(counts.entries, times.get(counts.operation, 0))
        for counts in run.operations
    }


def _run(module: str, functions: Sequence[str], work: Workload, *, load: bool) -> Run:
    operations = {
        f"o{number}": OperationRule([name], arguments=[]) for number, name in enumerate(functions)
    }
    target = Target("draft", module, operations)
    wanted = session.Wanted(lock_mode="none", calibrate=False)
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="z3t-") as directory:
        loaded = loading.target_module(target, None, load=load, reload=False)
        loaded.before_run()
        made = sides.sides(
            target,
            [sides.Variant("draft", None, loaded, Path(directory, "draft.z3t"))],
            [OPS],
            [],
            lambda paths: session.recorders(target, paths, wanted, _nobody),
        )
        if session.record(made, work, [Step(0, OPS, 0)], 1, lambda done: runs.append(done.run)):
            raise KeyboardInterrupt
    if not runs or runs[0].result.status:
        said = runs[0].result.output.strip()[-500:] if runs else "it was interrupted"
        raise Z3traceError(f"the workload failed: {said}")
    return runs[0]


def _nobody(_: str) -> None:
    """Hears what is said of every batch anew."""
