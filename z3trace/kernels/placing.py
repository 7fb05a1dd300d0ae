"""Placing: where in a file the hunks of a patch belong, and the file with them.

``patch`` and ``git apply`` take the nearest place where a hunk's lines are, in whatever
function that is, and ``patch`` drops lines of context without being asked.  Here the
function counts that the hunk names, and dropped context (*fuzz*) is the user's decision.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from z3trace.errors import InputError
from z3trace.kernels.hunks import Hunk, is_section, section

MOST_FUZZ = 3
#: Of one hunk, lines that are compared and places that are considered: a file may be made
#: so that every line looks like every other one.
_MOST_COMPARED = 20_000
_MOST_PLACES = 200


@dataclass(frozen=True)
class Place:
    """Where a hunk fits: a line from 1, how far from where it should be, and at what price."""

    line: int
    offset: int
    fuzz: int
    function: str
    #: The function that the hunk names, if it is another one.
    instead_of: str = ""
    #: Another line of the function where it would fit; 0 if there is none, or it need not.
    also: int = 0

    @property
    def is_exact(self) -> bool:
        return not (self.offset or self.fuzz or self.instead_of)

    def __str__(self) -> str:
        text = f"at line {self.line}"
        if self.offset:
            text += f", {_distance(self.offset)}"
        if self.fuzz:
            text += f", with fuzz {self.fuzz}"
        if self.function:
            text += f", in {self.function}"
        if self.instead_of:
            text += f" instead of {self.instead_of}"
        return text + (f"; it fits at line {self.also} too" if self.also else "")


def _distance(offset: int) -> str:
    lines = "line" if abs(offset) == 1 else "lines"
    return f"{abs(offset)} {lines} further {'down' if offset > 0 else 'up'}"


class File:
    """A file before a patch, or after it.  Its lines count from 0 here."""

    def __init__(self, content: bytes) -> None:
        parts = content.split(b"\n")
        self.lines = [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
        self._at: dict[bytes, list[int]] = defaultdict(list)
        for number, line in enumerate(self.lines):
            self._at[line].append(number)

    @cached_property
    def _sections(self) -> tuple[list[int], list[str]]:
        numbers = [number for number, line in enumerate(self.lines) if is_section(line)]
        return numbers, [section(self.lines[number].decode("latin-1")) for number in numbers]

    @cached_property
    def functions(self) -> frozenset[str]:
        return frozenset(self._sections[1])

    def function(self, line: int) -> str:
        """In what a line is: what the last line at the left edge above it begins."""
        numbers, names = self._sections
        at = bisect_right(numbers, line - 1)
        return names[at - 1] if at else ""

    def places(self, old: Sequence[bytes], first: int, expected: int) -> Iterator[int]:
        """Lines from *first* on where *old* is: the nearest to *expected* first."""
        wanted = list(old)
        rarest = min(range(len(wanted)), key=lambda number: len(self._at.get(wanted[number], ())))
        numbers = self._at.get(wanted[rarest], [])
        for number in _nearest(numbers, expected + rarest):
            begin, end = number - rarest, number - rarest + len(wanted)
            begins = first <= begin and self.lines[end - 1 : end] == wanted[-1:]
            if begins and self.lines[begin:end] == wanted:
                yield begin


def _nearest(numbers: Sequence[int], to: int) -> Iterator[int]:
    """Of ascending *numbers* the nearest first, no more than are compared."""
    down = bisect_left(numbers, to)
    up = down - 1
    for _ in range(min(len(numbers), _MOST_COMPARED)):
        if up < 0 or (down < len(numbers) and numbers[down] - to <= to - numbers[up]):
            yield numbers[down]
            down += 1
        else:
            yield numbers[up]
            up -= 1


@dataclass(frozen=True)
class _Before:
    """What the hunks before left: how many lines of the file they are done with, and by how
    many lines the last one was off."""

    done: int = 0
    offset: int = 0


def place(
    name: str, content: bytes, hunks: Sequence[Hunk], fuzz: int = 0
) -> tuple[bytes, list[Place]]:
    """*content* of the file *name* with *hunks*, and where each of them went.

    InputError if one does not fit, with that hunk and what would need more *fuzz*.
    """
    file = File(content)
    made: list[bytes] = []
    places = []
    before = _Before()
    for number, hunk in enumerate(hunks, 1):
        found = _find(file, hunk, before, fuzz)
        if not found:
            wanted = hunk.function
            what = f"hunk {number}, for line {hunk.start}" + (f" of {wanted}" if wanted else "")
            reason, hint = _misfit(file, hunk, before)
            raise InputError(f"{name}, {what}: {reason}:\n{hunk}", hint)
        reduced = hunk.reduced(found.fuzz) or hunk
        line = hunk.start + found.offset + reduced.start - hunk.start - (1 if hunk.old else 0)
        made += [*file.lines[before.done : line], *reduced.new]
        before = _Before(line + len(reduced.old), found.offset)
        places.append(found)
    return b"".join([*made, *file.lines[before.done :]]), places


def _find(file: File, hunk: Hunk, before: _Before, fuzz: int) -> Place | None:
    """Where *hunk* goes: in the function that it names if it fits there at all, with as little
    fuzz as possible, and as near as possible.  Another function is taken like fuzz, unless
    it is at the very line and the file has no function of the name: it has another one now."""
    if not hunk.old:
        return _without_context(file, hunk, before) if fuzz or not file.lines else None
    elsewhere: Place | None = None
    for level in range(min(fuzz, MOST_FUZZ) + 1):
        found = _places(file, hunk, before, level)
        for each in found:
            if not each.instead_of:
                other = next((one for one in found if not one.instead_of), None)
                return replace(each, also=other.line) if other and not each.is_exact else each
            elsewhere = elsewhere or each
    if not elsewhere or fuzz:
        return elsewhere
    renamed = elsewhere.offset == before.offset and elsewhere.instead_of not in file.functions
    return elsewhere if renamed else None


def _places(file: File, hunk: Hunk, before: _Before, fuzz: int) -> Iterator[Place]:
    """The places of *hunk* without *fuzz* lines of context, the nearest first."""
    reduced = hunk.reduced(fuzz)
    if reduced is None or (fuzz and reduced == hunk.reduced(fuzz - 1)):
        return
    dropped = reduced.start - hunk.start
    for number, line in enumerate(
        file.places(reduced.old, before.done, reduced.start - 1 + before.offset)
    ):
        if number == _MOST_PLACES:
            return
        function, wanted = file.function(line + reduced.before), hunk.function
        instead_of = wanted if function != wanted else ""
        offset = line - (reduced.start - 1)
        yield Place(max(1, line - dropped + 1), offset, fuzz, function, instead_of)


def _without_context(file: File, hunk: Hunk, before: _Before) -> Place | None:
    """Lines that are added between lines that the patch does not show: only its number tells
    where."""
    line = hunk.start + before.offset
    fits = before.done <= line <= len(file.lines)
    return Place(line, before.offset, 0, file.function(line)) if fits else None


def _misfit(file: File, hunk: Hunk, before: _Before) -> tuple[str, str]:
    """Why a hunk is not applied, and what to do about it."""
    if not hunk.old:
        return "it has no context to know its place by", "--fuzz 1 takes the line's number"
    if len(hunk.new) > hunk.before + hunk.after:
        there = file.places(hunk.new, before.done, hunk.start - 1 + before.offset)
        if next(there, None) is not None:
            return "the file has its change already", "is it for an earlier kernel?"
    guess = _find(file, hunk, before, MOST_FUZZ)
    if guess and guess.fuzz:
        return f"it fits only {guess}", f"--fuzz {guess.fuzz} puts it there"
    if guess:
        known = guess.instead_of in file.functions
        reason = "where its lines are not" if known else "which the file does not have"
        return f"it fits only {guess}, {reason}", "--fuzz 1 puts it there"
    if _blanks_differ(file, hunk):
        return "only its blanks differ", "did a mail program change tabs to blanks?"
    return "its lines are not there", "is it for another kernel, or on top of another patch?"


def _blanks_differ(file: File, hunk: Hunk) -> bool:
    old = b" ".join(b"".join(hunk.old).split())
    return bool(old) and old in b" ".join(b"".join(file.lines).split())


def told(places: Sequence[Place]) -> list[str]:
    """What to say of hunks that are not exactly where they should be: one line for each, and
    one for as many in a row as are off by the same number of lines and by nothing else."""
    texts = []
    plain = [
        place.offset if not (place.fuzz or place.instead_of or place.also) else None
        for place in places
    ]
    number = 0
    while number < len(places):
        last = number
        while plain[number] is not None and plain[last + 1 : last + 2] == [plain[number]]:
            last += 1
        if last > number and plain[number]:
            lines = _distance(places[number].offset)
            texts.append(f"hunks {number + 1} to {last + 1} are {lines} than they say")
        elif not places[number].is_exact:
            texts.append(f"hunk {number + 1} is {places[number]}")
        number = last + 1
    return texts
