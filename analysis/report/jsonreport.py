"""The comparison as JSON, for programs."""

import json
import math
from typing import Any

from z3trace.analysis.comparing import attribution
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.comparing.probeeffect import ProbeEffect
from z3trace.analysis.report import setup

VERSION = 2


def _number(value: float) -> float | None:
    return float(f"{value:.12g}") if math.isfinite(value) else None


def _metric(metric: Metric) -> dict[str, Any]:
    e = metric.effect
    return {
        **metric.key._asdict(),
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


def _probe_effect(effect: ProbeEffect) -> dict[str, Any]:
    slowdown = map(_number, effect.slowdown)
    return {
        "probes": effect.probe,
        "slowdown": dict(zip(("before", "after"), slowdown, strict=True)),
        "before": _number(effect.before),
        "after": _number(effect.after),
        "change": _number(effect.change),
        "ci": [_number(effect.low), _number(effect.high)],
    }


def as_dict(comparison: Comparison) -> dict[str, Any]:
    """``metrics`` is the list of all lines; NaN and infinity become null."""
    return {
        "version": VERSION,
        "before": comparison.before.session.label,
        "after": comparison.after.session.label,
        "paired": comparison.paired,
        "setup": dict(setup.facts(comparison)),
        "tests": comparison.tests,
        "metrics": [_metric(metric) for metric in comparison.metrics],
        "probe_effect": [_probe_effect(effect) for effect in comparison.probe_effects],
        "explained": [
            {
                "operation": operation.operation,
                **{
                    part: dict(zip(("before", "after"), getattr(operation, part), strict=True))
                    for part in ("latency", "wait", "hold", "rest")
                },
            }
            for operation in attribution.explained(comparison)
        ],
        "structure": attribution.structure(comparison),
        "lock_members": [
            {"lock": name, "before": x, "after": y} for name, x, y in setup.lock_members(comparison)
        ],
        "mismatches": [
            {"what": what, "before": x, "after": y} for what, x, y in comparison.mismatches
        ],
        "caveats": comparison.caveats,
    }


def dumps(report: dict[str, Any]) -> str:
    """A report as it is written; ends in a newline."""
    return json.dumps(report, indent=1, allow_nan=False) + "\n"


def render(comparison: Comparison) -> str:
    """The comparison as JSON text."""
    return dumps(as_dict(comparison))
