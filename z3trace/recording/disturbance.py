"""Runs that the host disturbed are made again, by a rule that knows no result.

A run is *disturbed* if the CPUs waited for the host for more than ``LIMIT`` of its time.
It is made again right away, with the same seed, up to ``MOST_IN_A_ROW`` times, until a
session has made ``MOST`` of its planned runs again.  A run that is made again counts in no
figure; the last one counts whatever the host did to it, for a session on a busy host has
its runs all the same.  A session of one or two runs makes none again: a command is run as
often as its user asked.
"""

import os

from msgspec import structs

from z3trace.data.model import Run

#: Quiet runs lie at 1 to 3 %, those that shared a core with somebody at 15 to 80 %, see
#: docs/measured.md.
LIMIT = 0.05
#: ns for each CPU.
LEAST_PAUSE = 50_000_000
MOST = 0.2
MOST_IN_A_ROW = 3


def share(run: Run, cpus: int) -> float:
    """Of the time that *cpus* CPUs had in a run, what the host took; 0 if that is not known."""
    if run.host is None or not run.duration:
        return 0.0
    # With KVM both may know of the same time.
    taken = max(run.host.steal or 0, run.host.delay or 0)
    paused = run.host.paused or 0
    # Of a pause the clocks of two machines cannot tell less than this.
    return (taken + (paused if paused > LEAST_PAUSE * cpus else 0)) / (run.duration * cpus)


class Disturbances:
    """Which runs of a session of *planned* runs are made again."""

    def __init__(self, planned: int, cpus: int | None = None) -> None:
        self._cpus = cpus or os.cpu_count() or 1
        self._left = round(MOST * planned)
        self._in_a_row = 0
        self.again = 0
        self.kept = 0

    def judged(self, run: Run) -> Run:
        """*run*, marked as disturbed if it is to be made again."""
        if run.unused or run.interrupted or share(run, self._cpus) <= LIMIT:
            self._in_a_row = 0
            return run
        if not self._left or self._in_a_row == MOST_IN_A_ROW:
            self._in_a_row = 0
            self.kept += 1
            return run
        self._left -= 1
        self._in_a_row += 1
        self.again += 1
        return structs.replace(run, unused="disturbed")

    def told(self) -> str:
        """What is said at the end of a session; empty if nothing was disturbed."""
        if not self.again + self.kept:
            return ""
        told = [f"{self.again} {'was' if self.again == 1 else 'were'} made again"]
        if self.kept:
            told.append(f"{self.kept} {'counts' if self.kept == 1 else 'count'} all the same")
        several = self.again + self.kept
        return (
            f"the host took more than {LIMIT:.0%} of the time of a run in "
            f"{several} {'run' if several == 1 else 'runs'}: {', '.join(told)}"
        )
