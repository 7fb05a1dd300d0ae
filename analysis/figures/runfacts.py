"""A run without its figures: when it was, what became of it, what was lost."""

from dataclasses import dataclass

from z3trace.data.model import Run
from z3trace.errors import INTERRUPTED


@dataclass(frozen=True)
class RunFacts:
    """One run without its figures.  *way*: how they were seen; *unused*: why it does not
    count, if it does not: as in the file, or ``failed``."""

    number: int
    seed: int
    started: str
    way: str
    unused: str
    interrupted: bool
    status: int
    elapsed: int
    calls: int
    lost: int
    seen: int

    @property
    def failed(self) -> bool:
        """Whether its workload failed; one that was ended by Ctrl-C did not."""
        return self.status not in (0, INTERRUPTED)

    @property
    def counts(self) -> bool:
        return not self.interrupted and not self.unused


def facts_of(run: Run) -> RunFacts:
    calls = sum(truth.calls for truth in run.result.operations)
    lost = run.ledger.lost() if run.ledger else 0
    seen = sum(c.returns for c in run.operations) + sum(c.releases for c in run.locks)
    if run.timed:
        lost += run.timed.ledger.lost()
        seen += sum(c.releases for c in run.timed.locks)
    result = run.result
    return RunFacts(
        *(run.number, run.seed, run.started, run.way, run.unused, run.interrupted),
        *(result.status, result.elapsed, calls, lost, seen),
    )
