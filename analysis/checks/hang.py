"""The end of a guest's kernel, from its console."""

import re
from collections.abc import Sequence

from z3trace.analysis.checks.findings import Hang
from z3trace.data.checkfile import Check, Incident

#: Console lines before and after a lockup, oops or panic that are shown.
_TRACE_LINES = 48
_STAMP = re.compile(r"^\[\s*[0-9.]+\]\s?")
_TROUBLE = re.compile(r"soft lockup|BUG: |Oops: |Kernel panic|general protection|rcu: INFO")
#: Of a trace, what tells a reader of the source something.
_TELLING = re.compile(
    _TROUBLE.pattern + r"|^(RIP:|CPU:|Call Trace:)|^ ?</?(TASK|IRQ)>|^ \?? ?[\w.]+\+0x|WARNING:"
)


def hang(check: Check, incidents: Sequence[Incident], console: str, lost: str) -> Hang | None:
    """What the console says of the end of the kernel, without our own lines."""
    if not lost:
        return None
    lines = [_STAMP.sub("", line).rstrip() for line in console.splitlines()]
    first = next((n for n, line in enumerate(lines) if _TROUBLE.search(line)), len(lines))
    trace = [line for line in lines[first:] if "z3t-check" not in line and _TELLING.search(line)]
    reason = lost.removeprefix("the guest was lost: ")
    return Hang(reason=reason, trace=trace[:_TRACE_LINES], uncounted=_uncounted(check, incidents))


def _uncounted(check: Check, incidents: Sequence[Incident]) -> float:
    """Seconds from the last count of everything to the last incident."""
    counted = check.progress.elapsed if check.progress else 0
    last = max((incident.time - check.header.armed for incident in incidents), default=0)
    return max(last - counted, 0) / 1e9
