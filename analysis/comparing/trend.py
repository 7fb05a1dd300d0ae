"""An archive of sessions in the order of their making: figures, and where they changed.

The session is the unit here: between two boots or two builds more varies than between
the runs of one.  A change point is where the means of the sessions before and after
differ most; it counts if the sessions, exchanged in time, hardly ever show as large a
difference anywhere (a CUSUM statistic; Good, Permutation Tests, 2000), held together by
Holm's method over all metrics; then both halves are looked at in turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from z3trace.analysis.comparing import mismatch
from z3trace.analysis.comparing.comparison import chosen
from z3trace.analysis.comparing.seen import Side, worthy
from z3trace.analysis.figures import metrics
from z3trace.analysis.figures.histogram import Floats
from z3trace.analysis.figures.recording import Digest, subject
from z3trace.analysis.figures.run import Key
from z3trace.analysis.statistics.interval import centres
from z3trace.analysis.statistics.verdict import SIGNIFICANT
from z3trace.errors import IncomparableError
from z3trace.printable import visible

#: Below this number of sessions no order is rare enough to tell a change.
FEWEST = 8
_EXCHANGES = 5000
_SEED = 20161115


@dataclass(frozen=True)
class ChangePoint:
    """The sessions from *at* on differ from those before: *ratio* of geometric means."""

    at: int
    ratio: float
    p_adjusted: float


@dataclass(frozen=True)
class Trend:
    """One metric over sessions: the typical run of each, NaN where it was not recorded.

    *way*: how it was seen; *share*: the largest part of it in any session that is the
    instrument's own, NaN if that is not known.  Where that is most of it, no change is
    looked for.
    """

    key: Key
    centres: Floats
    changes: list[ChangePoint]
    way: str = ""
    share: float = float("nan")


def _split(values: Floats) -> tuple[int, float]:
    """Where the means before and after differ most, and the CUSUM statistic there."""
    n = values.size
    sums = np.cumsum(values - values.mean())[:-1]
    counts = np.arange(1, n)
    score = np.abs(sums) / np.sqrt(counts * (n - counts) / n)
    at = int(np.argmax(score))
    return at + 1, float(score[at])


def _p(values: Floats, observed: float) -> float:
    """How often exchanged sessions show as large a statistic anywhere."""
    random = np.random.default_rng(_SEED)
    n = values.size
    shuffled = random.permuted(np.broadcast_to(values, (_EXCHANGES, n)), axis=1)
    sums = np.abs(np.cumsum(shuffled - values.mean(), axis=1)[:, :-1])
    counts = np.arange(1, n)
    scores = (sums / np.sqrt(counts * (n - counts) / n)).max(axis=1)
    return float((1 + np.count_nonzero(scores >= observed * (1 - 1e-9))) / (1 + _EXCHANGES))


def change_points(values: Floats, tests: int) -> list[ChangePoint]:
    """Change points of logs of positive values, in their order; *tests* are held together."""
    changes: list[ChangePoint] = []
    pending = [(0, values.size)]
    while pending:
        start, end = pending.pop()
        part = values[start:end]
        if part.size < FEWEST or np.ptp(part) == 0:
            continue
        at, score = _split(part)
        p = min(1.0, _p(part, score) * tests)
        if p >= SIGNIFICANT:
            continue
        ratio = float(np.exp(part[at:].mean() - part[:at].mean()))
        changes.append(ChangePoint(start + at, ratio, p))
        pending += [(start, start + at), (start + at, end)]
    return sorted(changes, key=lambda change: change.at)


def _check(digests: Sequence[Digest]) -> None:
    for digest in digests[1:]:
        differences = mismatch.mismatches(digests[0], digest)
        if differences:
            what = "; ".join(f"{name}: {visible(x)} | {visible(y)}" for name, x, y in differences)
            raise IncomparableError(
                f"{digest.path} cannot be compared with {digests[0].path}: {what}",
                "--allow-mismatch takes it all the same",
            )


def trends(digests: Sequence[Digest], *, allow_mismatch: bool = False) -> list[Trend]:
    """The main metrics over *digests*, which are in the order of their making."""
    digests = chosen(digests)
    if not allow_mismatch:
        _check(digests)
    typical: dict[Key, Floats] = {}
    shares: dict[Key, list[float]] = {}
    for i, side in enumerate(map(Side, digests)):
        for key in side.tested():
            values, _, share, _ = side.taken(key)
            row = typical.setdefault(key, np.full(len(digests), np.nan))
            shares.setdefault(key, []).append(share)
            if (values > 0).all():
                row[i] = np.exp(centres(np.log(values)[None])[0])
    keys = sorted(typical, key=lambda key: metrics.ORDER[key.metric])
    return [_trend(key, typical[key], max(shares[key]), digests, len(keys)) for key in keys]


def _trend(key: Key, typical: Floats, share: float, digests: Sequence[Digest], tests: int) -> Trend:
    way = next(filter(None, (digest.way(subject(key)) for digest in digests)), "")
    known = np.flatnonzero(np.isfinite(typical))
    placed = []
    if worthy(key, way, share):
        changes = change_points(np.log(typical[known]), tests)
        placed = [ChangePoint(int(known[c.at]), c.ratio, c.p_adjusted) for c in changes]
    return Trend(key, typical, placed, way, share)
