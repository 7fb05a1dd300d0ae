"""An archive of sessions in the order of their making: figures, and where they changed.

The session is the unit here: between two boots or two builds more varies than between
the runs of one.  A change point is where one step explains most of a metric's variance
(the statistic of CUSUM, squared); it counts if the sessions, exchanged in time, hardly ever
show as clear a step anywhere and in any metric.  Sessions are exchanged whole, with all
their metrics, and the largest statistic of all metrics is what counts (Westfall and Young,
Resampling-Based Multiple Testing, 1993): a step that stands out is found among many
metrics too, where a p-value of each, held together by Holm's method, has no way to be
small enough in a dozen sessions.  Then both halves are looked at in turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from z3trace.analysis import units
from z3trace.analysis.comparing import mismatch
from z3trace.analysis.comparing.comparison import chosen
from z3trace.analysis.comparing.seen import Side, worthy
from z3trace.analysis.figures import metrics
from z3trace.analysis.figures.histogram import Floats
from z3trace.analysis.figures.recording import Digest, subject
from z3trace.analysis.figures.run import Key
from z3trace.analysis.figures.sides import told_apart
from z3trace.analysis.statistics.interval import centres
from z3trace.analysis.statistics.verdict import SIGNIFICANT
from z3trace.errors import IncomparableError
from z3trace.printable import visible

#: Below this number of sessions no order is rare enough to tell a change.
FEWEST = 8
#: A step lasts so many sessions at least; what is shorter is a session far off, and would
#: look like a step at the end of the archive in a sixth of all orders.
SHORTEST = 3
_EXCHANGES = 5000
_SEED = 20161115


@dataclass(frozen=True)
class ChangePoint:
    """The sessions from *at* on differ from those before: *ratio* of typical sessions,
    infinite from 0."""

    at: int
    ratio: float
    p_adjusted: float

    @property
    def words(self) -> str:
        """``+20.0 %``; from 0 there is no ratio."""
        return units.change(self.ratio) if np.isfinite(self.ratio) else "not 0"


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


def _steps(values: Floats, row: Floats) -> tuple[Floats, npt.NDArray[np.intp]]:
    """For each order of sessions that is a row of *values*: the largest share of their
    variance that one step explains, 0 to 1, and where that step is."""
    n = values.shape[-1]
    counts = np.arange(SHORTEST, n - SHORTEST + 1)
    sums = np.cumsum(values - row.mean(), axis=-1)[..., counts - 1]
    explained = sums**2 / (counts * (n - counts) / n) / (n * max(row.var(), 1e-300))
    best = explained.argmax(axis=-1)
    return np.take_along_axis(explained, best[..., None], -1)[..., 0], counts[best]


def _orders(sessions: int) -> Floats:
    """Numbers by which the sessions of each exchange are sorted, shape (exchanges,
    sessions)."""
    return np.random.default_rng(_SEED).random((_EXCHANGES, sessions))


def _adjusted(observed: Floats, exchanged: Floats) -> Floats:
    """Adjusted p-values of all metrics, of which *observed* has the statistic and a row of
    *exchanged* that of every exchange: how often one that is not found yet shows as much."""
    order = np.argsort(-observed)
    # Of each metric and all that come after it, the largest in each exchange.
    largest = np.maximum.accumulate(exchanged[order][::-1], axis=0)[::-1]
    reached = (largest >= observed[order][:, None] * (1 - 1e-9)).sum(axis=1)
    found = np.maximum.accumulate((1 + reached) / (1 + exchanged.shape[1]))
    adjusted = np.empty_like(observed)
    adjusted[order] = found
    return adjusted


def _found(rows: Floats) -> list[ChangePoint | None]:
    """The step of each metric over the same sessions, if it has one."""
    orders = _orders(rows.shape[1])
    whole = np.argsort(orders, axis=1)
    wanted: list[int] = []
    observed, exchanged, places = [], [], []
    for number, row in enumerate(rows):
        known = np.flatnonzero(np.isfinite(row))
        values = row[known]
        if values.size < FEWEST or np.ptp(values) == 0:
            continue
        score, at = _steps(values[None], values)
        gaps = known.size < rows.shape[1]
        order = np.argsort(orders[:, known], axis=1) if gaps else whole
        wanted.append(number)
        observed.append(float(score[0]))
        exchanged.append(_steps(values[order], values)[0])
        places.append((known, int(at[0])))
    found: list[ChangePoint | None] = [None] * len(rows)
    if not wanted:
        return found
    p_values = _adjusted(np.array(observed), np.array(exchanged))
    for number, p, (known, step) in zip(wanted, p_values, places, strict=True):
        if p < SIGNIFICANT:
            values = rows[number, known]
            change = values[step:].mean() - values[:step].mean()
            found[number] = ChangePoint(int(known[step]), float(change), float(p))
    return found


def change_points(rows: Floats) -> list[list[ChangePoint]]:
    """Change points of each row, in their order: a row is a metric, a column a session, NaN
    where it was not recorded.  Their *ratio* is the difference of the means.

    All rows are looked at together, the sessions between two change points again.
    """
    changes: list[dict[int, ChangePoint]] = [{} for _ in rows]
    pending = {(0, rows.shape[1]): set(range(len(rows)))}
    while pending:
        (start, end), asked = pending.popitem()
        if end - start < FEWEST:
            continue
        for number, change in enumerate(_found(rows[:, start:end])):
            if change is None or number not in asked:
                continue
            at = start + change.at
            changes[number][at] = ChangePoint(at, change.ratio, change.p_adjusted)
            for span in ((start, at), (at, end)):
                pending.setdefault(span, set()).add(number)
    return [[row[at] for at in sorted(row)] for row in changes]


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
    digests = chosen(told_apart(digests))
    if not allow_mismatch:
        _check(digests)
    typical: dict[Key, Floats] = {}
    shares: dict[Key, list[float]] = {}
    for i, side in enumerate(map(Side, digests)):
        for key in side.tested():
            values, _, share, _ = side.taken(key)
            row = typical.setdefault(key, np.full(len(digests), np.nan))
            shares.setdefault(key, []).append(share)
            row[i] = _centre(values)
    keys = sorted(typical, key=lambda key: metrics.ORDER[key.metric])
    used = {key: _way(key, digests) for key in keys}
    worst = {key: max(shares[key]) for key in keys}
    asked = [key for key in keys if worthy(key, used[key], worst[key])]
    scaled = [_scaled(typical[key]) for key in asked]
    found = change_points(np.array(scaled)) if scaled else []
    changes = dict(zip(asked, found, strict=True))
    return [
        Trend(key, typical[key], _ratios(changes.get(key, []), typical[key]), used[key], worst[key])
        for key in keys
    ]


def _way(key: Key, digests: Sequence[Digest]) -> str:
    return next(filter(None, (digest.way(subject(key)) for digest in digests)), "")


def _centre(values: Floats) -> float:
    """The typical run of a session; the mean if nothing was measured in one of them."""
    if not values.size:
        return float("nan")
    positive = bool((values > 0).all())
    return float(np.exp(centres(np.log(values)[None])[0])) if positive else float(values.mean())


def _scaled(row: Floats) -> Floats:
    """Where a step is a factor, its logs; where a session has nothing, as it is."""
    known = row[np.isfinite(row)]
    return np.log(row) if (known > 0).all() else row


def _ratios(changes: Sequence[ChangePoint], row: Floats) -> list[ChangePoint]:
    """The same change points with ratios: of the sessions from one to the next, the typical
    ones; of means where there is none in a session."""
    ends = [0, *(change.at for change in changes), row.size]
    parts = [_centre(row[a:b][np.isfinite(row[a:b])]) for a, b in pairwise(ends)]
    return [
        ChangePoint(change.at, after / before if before else float("inf"), change.p_adjusted)
        for change, (before, after) in zip(changes, pairwise(parts), strict=True)
    ]
