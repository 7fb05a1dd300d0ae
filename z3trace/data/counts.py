"""What was counted in a run: histograms, counters, and the ledger of what was not counted.

Plain typed data of a recording; see ``model``.  All times are nanoseconds unless a name
says otherwise, all counts are of one run.
"""

from typing import Annotated, Literal

from msgspec import Meta

from z3trace.data import limits
from z3trace.data.fields import U64, Buckets, Record, SiteNumber, Word


class Series(Record, frozen=True, kw_only=True):
    """One histogram."""

    metric: Literal[
        "latency", "wait", "hold", "corrected_latency", "corrected_wait", "corrected_hold"
    ]
    operation: Word = ""
    lock: Word = ""
    unit: Word = "ns"
    count: U64
    sum: U64
    min: U64
    max: U64
    buckets: Buckets


class OperationCounts(Record, frozen=True, kw_only=True):
    """Counters of one operation; ``wait`` and ``hold`` (time with a lock held and no wait)
    are summed over completed calls."""

    operation: Word
    entries: U64
    returns: U64
    failures: U64
    wait: U64
    hold: U64
    lock_events: U64


class LockEvents(Record, frozen=True, kw_only=True):
    """How often locks were taken, waited for, not got by a trylock, and released."""

    acquisitions: U64
    contended: U64
    trylock_failures: U64
    releases: U64


class LockCounts(LockEvents, frozen=True, kw_only=True):
    """Counters of one lock class."""

    lock: Word


class SiteCounts(LockEvents, frozen=True, kw_only=True):
    """Counters of one call site; wait and hold belong to the site that acquired."""

    site: SiteNumber
    locks: Annotated[list[Word], Meta(max_length=limits.CLASSES)]
    wait_sum: U64
    wait_max: U64
    hold_sum: U64
    hold_max: U64


class Nesting(Record, frozen=True, kw_only=True):
    """How often a lock of one class was acquired while one of another was the newest held."""

    held: Word
    acquired: Word
    count: U64


class Ledger(Record, frozen=True, kw_only=True):
    """What was not counted as it should have been, and what was still open.

    ``skipped_programs``: hits of a probe for which the kernel did not run the
    program (another BPF program ran on that CPU); ``missed_probes``: hits that the
    kernel did not even hand on.  None where the kernel does not tell.
    ``lock_function_misses``: programs in lock functions that the kernel did not run
    because they were interrupted by another one: whose events these were is not known,
    and the target's would show as unmatched.
    ``unseen_releases``: acquisitions of a lock that the thread still held, as far as was
    seen: its release was not.
    ``self_tries`` (trylock on a lock the thread holds, a check) and ``joins`` (the
    instruction after a lock call, reached by a jump) are no losses.
    """

    unmatched_returns: U64 = 0
    unmatched_releases: U64 = 0
    depth_overflows: U64 = 0
    held_overflows: U64 = 0
    slot_collisions: U64 = 0
    unknown_pools: U64 = 0
    self_tries: U64 = 0
    joins: U64 = 0
    open_operations: U64 = 0
    open_holds: U64 = 0
    unseen_releases: U64 = 0
    lock_function_misses: U64 = 0
    skipped_programs: U64 | None = None
    missed_probes: U64 | None = None

    def lost(self) -> int:
        """Events that are known to be missing from the counts."""
        return (
            self.unmatched_returns
            + self.unmatched_releases
            + self.depth_overflows
            + self.held_overflows
            + self.slot_collisions
            + self.unseen_releases
            + (self.skipped_programs or 0)
            + (self.missed_probes or 0)
        )
