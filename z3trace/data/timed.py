"""What a *timed* build tells of its own locks: plain typed data of a recording.

A timed build is the target's module built a second time, with every lock call timed from
inside (``testbed/timed.h``).  All times are nanoseconds, all counts are of one run.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from z3trace.data import limits
from z3trace.data.counts import LockCounts, LockEvents, Nesting, Series
from z3trace.data.fields import U64, Name, Record, SiteNumber, Text, Word

#: Kinds of locks that a timed build knows.
LockKind = Literal["spin", "read", "write", "mutex", "rwsem-read", "rwsem-write", "bit"]


class TimedCall(Record, frozen=True, kw_only=True):
    """One lock call in the target's source, as the preprocessor met it.

    *expression*: the lock as the source writes it, such as ``&pool->lock``; *lock*: its
    class by the target's rules, else the expression's last member.
    """

    number: SiteNumber
    file: Name
    line: U64
    function: Name
    expression: Text
    lock: Word
    action: Literal["acquire", "try", "release"]
    kind: LockKind


class TimedBuild(Record, frozen=True, kw_only=True):
    """The timed build of the target: its module's digest, and its lock calls.

    *folded*: names of locks that share the class ``other``, if there are more than classes.
    """

    build_id: Name = ""
    digest: Name = ""
    folded: Annotated[list[Word], Meta(max_length=limits.SITES)] = field(default_factory=list)
    calls: Annotated[list[TimedCall], Meta(max_length=limits.SITES)]


class TimedCallCounts(LockEvents, frozen=True, kw_only=True):
    """Counters of one lock call; wait and hold belong to the call that acquired.

    ``holds``: how many of its holds were timed, of which are ``hold_sum`` and ``hold_max``.
    """

    call: SiteNumber
    holds: U64
    wait_sum: U64
    wait_max: U64
    hold_sum: U64
    hold_max: U64


class TimedLedger(Record, frozen=True, kw_only=True):
    """What a timed build could not keep: its tables have an end.

    ``held_overflows``: acquisitions whose hold was not timed, for too many locks were held;
    ``unmatched_releases``: releases of a lock that was not known to be held;
    ``nesting_overflows``: pairs of calls that were not counted; ``forgotten_tries``: failed
    trylocks from which a wait could not be counted, so that it begins later.  No loss:
    ``self_tries``, trylocks on a lock that the thread itself holds, a check;
    ``open_holds``, locks still held when the figures were read.
    """

    held_overflows: U64 = 0
    unmatched_releases: U64 = 0
    nesting_overflows: U64 = 0
    forgotten_tries: U64 = 0
    self_tries: U64 = 0
    open_holds: U64 = 0

    def lost(self) -> int:
        """Events that are known to be missing from the figures."""
        return self.held_overflows + self.unmatched_releases + self.nesting_overflows


class Timed(Record, frozen=True, kw_only=True):
    """The figures of a run by the timed build itself.

    *series*: ``wait`` (of every acquisition, 0 if the lock was free) and ``hold`` of each
    lock class.  Of *every* acquisitions of a spinning lock the hold of one is timed, on
    average and at random, so that a hold's count is no count of acquisitions; all else
    is of all of them.
    """

    every: U64
    series: Annotated[list[Series], Meta(max_length=2 * limits.CLASSES)]
    locks: Annotated[list[LockCounts], Meta(max_length=limits.CLASSES)]
    calls: Annotated[list[TimedCallCounts], Meta(max_length=limits.SITES)]
    nesting: Annotated[list[Nesting], Meta(max_length=limits.CLASSES**2)]
    ledger: TimedLedger
