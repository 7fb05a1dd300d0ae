"""The end of a guest's kernel, from its console."""

import re
from collections.abc import Iterator, Sequence
from itertools import dropwhile, islice

from z3trace.analysis.checks.findings import Hang
from z3trace.data.checkfile import Check, Incident

#: Console lines before and after a lockup, oops or panic that are shown.
_TRACE_LINES = 48
#: Characters of a line, and lines of a console, that are looked at: a kernel writes fewer.
_WIDEST = 1024
_MOST_LINES = 30_000
_LINE = re.compile(r"[^\r\n]+")
_STAMP = re.compile(r"^\[\s*[0-9.]+\]\s?")
#: What a kernel says first of what it dies of, its checks of lists, counts and memory included.
_TROUBLE = re.compile(
    r"soft lockup|BUG: |kernel BUG at|Oops: |Kernel panic|general protection|rcu: INFO"
    r"|invalid opcode|divide error|double fault|unable to handle|corrupt|refcount_t: |UBSAN: "
    r"|Bad page state|bad: scheduling|stack guard|hung_task: "
)
#: Of a trace, what tells a reader of the source something.
_TELLING = re.compile(
    _TROUBLE.pattern + r"|^(RIP:|CPU:|Call Trace:)|^ ?</?(TASK|IRQ)>|^ \?? ?[\w.]+\+0x|WARNING:"
)


def hang(check: Check, incidents: Sequence[Incident], console: str, lost: str) -> Hang | None:
    """What the console says of the end of the kernel, without our own lines."""
    if not lost:
        return None
    lines = console_lines(console)
    from_trouble = dropwhile(lambda line: not _TROUBLE.search(line), lines)
    trace = (line for line in from_trouble if "z3t-check" not in line and _TELLING.search(line))
    shown = list(islice(trace, _TRACE_LINES))
    reason = lost.removeprefix("the guest was lost: ")
    return Hang(reason=reason, trace=shown, uncounted=_uncounted(check, incidents))


def console_lines(console: str) -> Iterator[str]:
    """The console's lines without their time, cut: a stranger's guest can print what it
    likes, and of its lines only so many are looked at."""
    for match in islice(_LINE.finditer(console), _MOST_LINES):
        yield _STAMP.sub(
            "", console[match.start() : min(match.end(), match.start() + _WIDEST)]
        ).rstrip()


def _uncounted(check: Check, incidents: Sequence[Incident]) -> float:
    """Seconds from the last count of everything to the last incident."""
    counted = check.progress.elapsed if check.progress else 0
    last = max((incident.time - check.header.armed for incident in incidents), default=0)
    return max(last - counted, 0) / 1e9
