"""The comparison as JSON, for programs."""

import json
import math
from typing import Any

from z3trace.analysis.comparing import attribution, instrument
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.comparing.contradiction import Witness
from z3trace.analysis.comparing.probeeffect import ProbeEffect
from z3trace.analysis.figures import ways
from z3trace.analysis.figures.costs import Cost
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.report import setup
from z3trace.analysis.statistics.effect import Effect

VERSION = 3


def _number(value: float) -> float | None:
    return float(f"{value:.12g}") if math.isfinite(value) else None


def _pair(pair: tuple[float, float]) -> dict[str, float | None]:
    return dict(zip(("before", "after"), map(_number, pair), strict=True))


def _effect(e: Effect) -> dict[str, Any]:
    return {
        "before": _number(e.before),
        "after": _number(e.after),
        "ratio": _number(e.ratio),
        "ci": [_number(e.low), _number(e.high)],
        "n_before": e.n_before,
        "n_after": e.n_after,
    }


def _witness(witness: Witness) -> dict[str, Any]:
    return {
        "way": witness.way,
        **_effect(witness.effect),
        "share": _pair(witness.share),
        "worthy": witness.worthy,
    }


def _metric(metric: Metric) -> dict[str, Any]:
    e = metric.effect
    return {
        **metric.key._asdict(),
        "way": metric.way,
        "share": _pair(metric.share),
        "corrected": metric.corrected,
        "primary": metric.primary,
        **_effect(e),
        "p": _number(e.p),
        "p_adjusted": _number(metric.p_adjusted),
        "resolution": _number(e.resolution),
        "detectable": _number(metric.detectable),
        "more_runs": metric.more_runs,
        "verdict": metric.verdict,
        "witnesses": [_witness(witness) for witness in metric.witnesses],
    }


def _cost(cost: Cost | None) -> dict[str, Any] | None:
    if cost is None:
        return None
    ci = [_number(cost.low), _number(cost.high)]
    return {"value": _number(cost.value), "ci": ci, "source": cost.source, "runs": cost.runs}


def _costs(digest: Digest) -> list[dict[str, Any]]:
    return [
        {
            "side": digest.session.label,
            "probes": known.what,
            **{name: _cost(getattr(known, name)) for name in ("inside", "poll", "outside")},
        }
        for known in instrument.known(digest)
    ]


def _ways(comparison: Comparison) -> list[dict[str, Any]]:
    sides = comparison.before, comparison.after
    return [
        {
            "way": way,
            "words": ways.words(way),
            "runs": dict(
                zip(("before", "after"), (len(side.of_way(way)) for side in sides), strict=True)
            ),
        }
        for way in ways.order({way for side in sides for way in side.ways})
    ]


def _probe_effect(effect: ProbeEffect) -> dict[str, Any]:
    return {
        "way": effect.way,
        "slowdown": _pair(effect.slowdown),
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
        "family": comparison.family._asdict(),
        "ways": _ways(comparison),
        "contradictions": [
            {
                **each.key._asdict(),
                "chosen": {"way": each.way, **_effect(each.effect)},
                "other": _witness(each.other),
            }
            for each in comparison.contradictions
        ],
        "metrics": [_metric(metric) for metric in comparison.metrics],
        "probe_effect": [_probe_effect(effect) for effect in comparison.probe_effects],
        "costs": _costs(comparison.before) + _costs(comparison.after),
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
