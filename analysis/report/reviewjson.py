"""A review as JSON: what ``review --json`` prints."""

import msgspec

from z3trace.analysis.report import jsonreport
from z3trace.analysis.report.review import Review
from z3trace.analysis.report.review import render as reply

VERSION = 1


def render(review: Review) -> str:
    """``before`` and ``after`` are checks, ``comparison`` is what ``compare`` prints; null
    where there is none."""
    return jsonreport.dumps(
        {
            "version": VERSION,
            "target": review.target,
            "base": review.base,
            "commit": review.commit,
            "reply": reply(review),
            "notes": list(review.notes),
            "not_done": list(review.left),
            "before": msgspec.to_builtins(review.before),
            "after": msgspec.to_builtins(review.after),
            "comparison": jsonreport.as_dict(review.comparison) if review.comparison else None,
        }
    )
