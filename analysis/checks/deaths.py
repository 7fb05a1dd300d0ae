"""Deaths of a kernel that no rule judges: a list that is corrupt, a BUG, a bad address; in
the console's own words, with the place in the target that it happened at."""

import re
from collections.abc import Iterable, Iterator, Sequence

from z3trace.analysis.checks.findings import Death, Event, Place, Violation
from z3trace.analysis.checks.hang import console_lines

#: What a kernel says of its own data: told whatever rule was broken before.
_CORRUPT = re.compile(
    r"(list_(?:add|del) corruption.{0,300}|BUG: KASAN: .{0,200}"
    r"|Bad page (?:state|map) in process .{0,100}|refcount_t: .{0,100}|BUG \S+ .*: .{0,200})"
)
#: What may as well follow from a broken rule: a lock that nobody held and that was released
#: leaves a preemption count below 0, and the next probe that traps ends in a BUG.
_OTHER = re.compile(
    r"(kernel BUG at \S+|BUG: (?:unable to handle|kernel NULL pointer).{0,200}"
    r"|general protection fault.{0,200}"
    r"|double fault.{0,100}|Oops: .{0,100}|invalid opcode: .{0,100})"
)
_MOST_LINES = 60  # of a splat
_FRAME = re.compile(
    r"^(?:RIP: [0-9a-f]{4}:| ?)([A-Za-z_][\w.]{0,127})\+0x([0-9a-f]{1,8})/0x[0-9a-f]{1,8}"
    r" \[([A-Za-z0-9_]{1,64})\]"
)


def deaths(
    console: str, module: str, violations: Sequence[Violation], last: Sequence[Event]
) -> list[Death]:
    """What killed the kernel; at most one.  *module*: in which a place is looked for;
    *last*: the last lock events that are known."""
    lines = list(console_lines(console))
    found = _first(lines, _CORRUPT)
    if found is None and not violations:
        found = _first(lines, _OTHER)
    if found is None:
        return []
    at, words = found
    splat = [line for line in lines[at : at + _MOST_LINES] if "z3t-check" not in line]
    return [Death(words=words, place=_place(splat, module), trace=splat[:40], events=list(last))]


def _first(lines: Iterable[str], pattern: "re.Pattern[str]") -> tuple[int, str] | None:
    for number, line in enumerate(lines):
        match = pattern.search(line)
        if match:
            return number, match[1].strip()
    return None


def _place(splat: Sequence[str], module: str) -> Place:
    """The innermost function of the module in a trace."""
    function, offset = next(_frames(splat, module), ("", 0))
    return Place(function=function, offset=offset)


def _frames(splat: Sequence[str], module: str) -> Iterator[tuple[str, int]]:
    for line in splat:
        match = _FRAME.match(line)
        if match and match[3] == module:
            yield match[1], int(match[2], 16)
