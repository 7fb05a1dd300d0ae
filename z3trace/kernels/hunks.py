"""Hunks: the changes of a unified patch to one place of a file."""

import re
from dataclasses import dataclass, field

from z3trace.printable import visible

_SHOWN_LINES = 20
#: What git writes behind a hunk's numbers: the last line before it like this one.
_AT_THE_EDGE = re.compile(rb"[A-Za-z_$]")
_LABEL = re.compile(r"\w{1,200}:\s*(?:/[/*].*)?")
_FUNCTION = re.compile(r"([A-Za-z_]\w{0,200})\s{0,9}\(")
_TYPE = re.compile(r"(?:typedef |static |const ){0,3}((?:struct|union|enum) \w{1,200})\s*\{")
_ATTRIBUTES = {"__attribute__", "__aligned", "__section", "__printf", "__releases", "__acquires"}


def is_section(line: bytes) -> bool:
    """Whether a line begins a function or a type, as git tells: at the left edge, no label."""
    text = line[:300].decode("latin-1").strip()
    return bool(_AT_THE_EDGE.match(line)) and not _LABEL.fullmatch(text)


def section(text: str) -> str:
    """What a line at the left edge begins: ``f()``, ``struct s``; empty if it cannot be told,
    as of a long line, which diff cuts."""
    text = text[:300].strip()
    if _LABEL.fullmatch(text):
        return ""
    for found in _FUNCTION.finditer(text):
        if found[1] not in _ATTRIBUTES:
            return f"{found[1]}()"
    named = _TYPE.match(text)
    return named[1] if named else ""


@dataclass(frozen=True)
class Hunk:
    """Lines of one place of a file, before and after; each with its line end, if it has one."""

    #: The first line of *old* in the file before, from 1; the line above if *old* is empty.
    start: int
    section: str
    old: tuple[bytes, ...]
    new: tuple[bytes, ...]
    #: How many lines of context are at their beginning and at their end.
    before: int
    after: int
    #: Blank, ``-`` or ``+`` for each line of the patch, in its order.
    kinds: str = field(default="", compare=False)

    @property
    def function(self) -> str:
        """In what its first change is, by its own context or by what stands behind its numbers."""
        for line in reversed(self.old[: self.before]):
            if is_section(line):
                return section(line.decode("latin-1"))
        return section(self.section)

    def reduced(self, fuzz: int) -> "Hunk | None":
        """Without *fuzz* lines of its longer context, and as many of the other as are then
        more than that, as ``patch`` does; None if no line is left to know the place by."""
        longest = max(self.before, self.after)
        first = max(0, fuzz + self.before - longest)
        last = max(0, fuzz + self.after - longest)
        if fuzz > longest or first + last >= len(self.old):
            return None
        return Hunk(
            self.start + first,
            self.section,
            self.old[first : len(self.old) - last],
            self.new[first : len(self.new) - last],
            self.before - first,
            self.after - last,
        )

    def __str__(self) -> str:
        """Its lines, not all of a long one, as text that may go to a terminal."""
        end_old, end_new = len(self.old) - self.after, len(self.new) - self.after
        lines = [
            *((" ", line) for line in self.old[: self.before]),
            *(("-", line) for line in self.old[self.before : end_old]),
            *(("+", line) for line in self.new[self.before : end_new]),
            *((" ", line) for line in self.old[end_old:]),
        ]
        shown = [
            visible(sign + line[:200].decode(errors="replace").rstrip("\n"), keep="\t")
            for sign, line in lines[:_SHOWN_LINES]
        ]
        return "\n".join([*shown, *(["..."] if len(lines) > _SHOWN_LINES else [])])
