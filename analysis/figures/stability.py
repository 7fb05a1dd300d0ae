"""Whether the runs of a session are alike: warm-up, drift, more than one mode."""

from collections.abc import Iterator

import numpy as np
from scipy.special import stdtr

from z3trace.analysis import units
from z3trace.analysis.figures import metrics
from z3trace.analysis.figures.histogram import Floats
from z3trace.analysis.figures.recording import Digest

_DRIFT_P = 0.01
_FIRST = 5.0  # deviations that set a first run apart
_SMALLEST = 0.02  # what is smaller is not worth a word
_FEWEST = 5
_MODES_FEWEST = 10
_MODE = 3  # runs that make a mode


def drift(values: Floats) -> tuple[float, float]:
    """(change from the first run to the last by a straight line, p).

    By Spearman's rank correlation with the order of the runs, on its t approximation.
    """
    n = values.size
    if n < _FEWEST or np.ptp(values) == 0:
        return 0.0, 1.0
    order = np.arange(n, dtype=float)
    ranks = np.argsort(np.argsort(values)).astype(float)
    rho = float(np.corrcoef(order, ranks)[0, 1])
    score = abs(rho) * np.sqrt((n - 2) / max(1 - rho**2, 1e-12))
    slope = float(np.polyfit(order, np.log(values), 1)[0])
    return float(np.expm1(slope * (n - 1))), float(2 * stdtr(n - 2, -score))


def first_apart(values: Floats) -> float:
    """How far the first run is from the others, such as 0.1; 0 if it is like them."""
    if values.size < _FEWEST:
        return 0.0
    logs = np.log(values)
    rest = logs[1:]
    middle = float(np.median(rest))
    spread = 1.4826 * float(np.median(np.abs(rest - middle)))
    away = float(logs[0]) - middle
    if abs(away) > max(_FIRST * spread, _SMALLEST):
        return float(np.expm1(away))
    return 0.0


def modes(values: Floats) -> tuple[Floats, Floats] | None:
    """The two groups that the values fall into, if the gap between them is wider than
    everything else together; None if there is no such gap."""
    if values.size < _MODES_FEWEST:
        return None
    ordered = np.sort(values)
    gaps = np.diff(np.log(ordered))
    widest = int(np.argmax(gaps))
    low, high = ordered[: widest + 1], ordered[widest + 1 :]
    if min(low.size, high.size) < _MODE or gaps[widest] < max(gaps.sum() / 2, _SMALLEST):
        return None
    return low, high


def notes(digest: Digest) -> Iterator[str]:
    """What is to be said of one recording's runs: a sentence for each kind, over all its
    figures."""
    warmed_up = any(run.unused == "warm-up" for run in digest.runs)
    modal, apart, drifting = [], [], []
    for key, _, values, _ in digest.rows():
        definition = metrics.BY_NAME[key.metric]
        if not definition.tested or definition.subject == "lock" or (values <= 0).any():
            continue
        name = key.name()
        groups = modes(values) if key.statistic in ("mean", "p50") else None
        if groups:
            around = [
                f"{group.size} runs at {units.value(float(np.median(group)), key.unit)}"
                for group in groups
            ]
            modal.append(f"{name} ({' and '.join(around)})")
        if key.statistic != "mean":
            continue
        first = 0.0 if warmed_up else first_apart(values)
        apart += [f"{name} {first:+.1%}"] if first else []
        change, p = drift(values)
        if p < _DRIFT_P and abs(change) > _SMALLEST:
            drifting.append(f"{name} {change:+.1%}")
    for told, words in (
        (modal, "two modes"),
        (apart, "the first run is off the others, warm-up?"),
        (drifting, "drift over the session, which interleaved sides share"),
    ):
        if told:
            yield f"{words}: {', '.join(told)}"
