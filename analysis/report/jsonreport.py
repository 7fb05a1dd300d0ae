"""The comparison as JSON, for programs."""

import json
import math
from typing import Any

from z3trace.analysis.comparing import attribution
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.comparing.probeeffect import ProbeEffect
from z3trace.analysis.report import content

VERSION = 2


def _number(value: float) -> float | None:
    return float(f"{value:.12g}") if math.isfinite(value) else None


def _metric(metric: Metric) -> dict[str, Any]:
    e = metric.effect
    return {
        "metric": metric.metric,
        "operation": metric.operation,
        "lock": metric.lock,
        "statistic": metric.statistic,
        "unit": metric.unit,
        "before": _number(e.before),
        "after": _number(e.after),
        "ratio": _number(e.ratio),
        "ci": [_number(e.low), _number(e.high)],
        "n_before": e.n_before,
        "n_after": e.n_after,
        "p": _number(e.p),
        "p_adjusted": _number(metric.p_adjusted),
        "resolution": _number(e.resolution),
        "detectable": _number(metric.detectable),
        "more_runs": metric.more_runs,
        "verdict": metric.verdict,
    }


def _probe_effect(one: ProbeEffect) -> dict[str, Any]:
    return {
        "probes": one.probe,
        "slowdown": {"before": _number(one.slowdown[0]), "after": _number(one.slowdown[1])},
        "before": _number(one.before),
        "after": _number(one.after),
        "change": _number(one.change),
        "ci": [_number(one.low), _number(one.high)],
    }


def as_dict(comparison: Comparison) -> dict[str, Any]:
    """``metrics`` is the list of all lines; NaN and infinity become null."""
    return {
        "version": VERSION,
        "before": comparison.before.session.label,
        "after": comparison.after.session.label,
        "paired": comparison.paired,
        "setup": dict(content.setup(comparison)),
        "tests": comparison.tests,
        "metrics": [_metric(metric) for metric in comparison.metrics],
        "probe_effect": [_probe_effect(one) for one in comparison.probe_effects],
        "explained": [
            {
                "operation": one.operation,
                **{
                    part: {"before": getattr(one, part)[0], "after": getattr(one, part)[1]}
                    for part in ("latency", "wait", "hold", "rest")
                },
            }
            for one in attribution.explained(comparison)
        ],
        "structure": attribution.structure(comparison),
        "lock_members": [
            {"lock": name, "before": x, "after": y}
            for name, x, y in content.lock_members(comparison)
        ],
        "mismatches": [
            {"what": what, "before": x, "after": y} for what, x, y in comparison.mismatches
        ],
        "caveats": comparison.caveats,
    }


def render(comparison: Comparison) -> str:
    return json.dumps(as_dict(comparison), indent=1, allow_nan=False) + "\n"
