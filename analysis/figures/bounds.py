"""How much of a recording is taken in: files come from strangers.

What the reader lets pass can still be made to cost far more time or memory than a real
recording of its size: a packed file is mostly repetition.  Time is held to what lies on
the disk, memory to absolute numbers, and what is beyond is refused by name.
"""

from z3trace.data.model import Run
from z3trace.errors import InputError

#: Different things of one recording, each several times what 10 000 runs of a target have:
#: histograms by metric and name; metrics, with those of every function that takes locks;
#: numbers of single runs (24 bytes each); latencies of an operation in a run (700 bytes);
#: ways, of which sixteen lock classes make forty.
SERIES, METRICS, NUMBERS, CURVES = "series", "metrics", "numbers", "latency histograms"
WAYS = "ways to see a lock"
MOST = {SERIES: 2048, METRICS: 20_000, NUMBERS: 2_000_000, CURVES: 100_000, WAYS: 64}

#: What taking a part of a run in costs, in units of about 2.5 us, which is a counter's
#: price; so many buckets cost one.
_RUN, _SERIES, _SITE, _BUCKETS = 150, 6, 5, 8
#: What any file may cost (a second), and a file by its bytes on the disk: a run of z3fold
#: costs 700 and packs to 7 kB.
FREE, BYTES = 400_000, 8


def cost(run: Run) -> int:
    """What taking *run* in costs, in counters."""
    timed = run.timed
    listed = [*run.series, *(timed.series if timed else ())]
    clocked = [truth.buckets for truth in run.result.operations] if run.clocked else []
    if not listed and not clocked and not run.probed:
        return _RUN // 5
    filled = sum(len(series.buckets) for series in listed) + sum(map(len, clocked))
    others = len(run.locks) + len(run.operations) + len(run.nesting)
    others += len(timed.locks) + len(timed.nesting) + _SITE * len(timed.calls) if timed else 0
    histograms = _SERIES * (len(listed) + len(clocked))
    return _RUN + histograms + filled // _BUCKETS + _SITE * len(run.sites) + others


class Bounds:
    """What is left of one recording's bounds; *size*: its bytes on the disk, None for one
    that is in memory already."""

    def __init__(self, path: str, size: int | None = None) -> None:
        self._path = path
        self._left = None if size is None else FREE + size // BYTES

    def take(self, run: Run) -> None:
        """Before *run* is taken in; InputError if it is more than the file may cost."""
        if self._left is None:
            return
        self._left -= cost(run)
        if self._left < 0:
            raise InputError(
                f"{self._path}: run {run.number}: more histograms and counters than a "
                "recording of this size has",
                "a real one of so many runs is larger, however it is packed",
            )

    def hold(self, what: str, count: int) -> None:
        """InputError if *count* is above the bound of *what*."""
        if count > MOST[what]:
            raise InputError(f"{self._path}: more than {MOST[what]} {what}")
