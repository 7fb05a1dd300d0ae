"""Lock calls that moved into a loop: taken once in a call of an operation before, and many
times after."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.run import carried
from z3trace.data.model import CallSite

if TYPE_CHECKING:
    from z3trace.analysis.comparing.comparison import Comparison

#: The only way that sees which operation a lock call belongs to.
_WAY = "all"
#: More acquisitions in a call at one place than this are a loop's.
ONCE = 1.5


@dataclass(frozen=True)
class Taking:
    """One lock call: *each*: acquisitions in a call of *operation*, over all runs."""

    operation: str
    lock: str
    each: float
    site: CallSite


@dataclass(frozen=True)
class Loop:
    """A lock call that is in a loop now; *before*: the most acquisitions in a call that one
    place had, None if the lock was not taken in the operation."""

    after: Taking
    before: float | None


def takings(digest: Digest) -> Iterator[Taking]:
    """Every lock call of a function that carries an operation, as all probes saw it."""
    totals = digest.totals(_WAY)
    carries = carried(digest.session)
    for site in digest.session.sites:
        operation = carries.get(site.function, "")
        calls = totals.operations.get(operation, Counter())["entries"]
        seen = totals.sites.get(site.number)
        if calls and seen and seen.acquisitions:
            lock = "+".join(sorted(seen.locks)) or "other"
            yield Taking(operation, lock, seen.acquisitions / calls, site)


def loops(comparison: "Comparison") -> list[Loop]:
    """What moved into a loop, the longest first; one for each operation and lock class."""
    most: dict[tuple[str, str], float] = {}
    for taking in takings(comparison.before):
        of = (taking.operation, taking.lock)
        most[of] = max(taking.each, most.get(of, 0.0))
    found: dict[tuple[str, str], Loop] = {}
    for taking in sorted(takings(comparison.after), key=lambda each: -each.each):
        of = (taking.operation, taking.lock)
        before = most.get(of)
        if taking.each > ONCE and (before is None or before <= ONCE):
            found.setdefault(of, Loop(taking, before))
    return list(found.values())
