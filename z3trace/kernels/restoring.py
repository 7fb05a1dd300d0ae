"""Restoring: a diff that a reply quotes, with the blanks that mail or an archive lost.

What a hunk's context and removed lines were, the base knows.  The blanks of an added line
are restored by the lines around it (``blanks``); whether that is right, the hash of the
result tells if the patch names it (its ``index`` line).
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from z3trace.errors import InputError
from z3trace.kernels import blanks, blobs
from z3trace.kernels.blanks import Line, Placed, squeezed
from z3trace.printable import visible

Look = Callable[[str], bytes | None]

_HUNK = re.compile(rb"@@ -(\d{1,7})(?:,(\d{1,7}))? \+(\d{1,7})(?:,(\d{1,7}))? @@(.*)")
_FILE = re.compile(rb"(?:diff --git |Index: )")
_MOST_PLACES = 200
_MOST_LINES = 100_000
_MOST_HUNKS = 1000
_MOST_SHOWN = 10
_NOWHERE = "/dev/null"


@dataclass(frozen=True)
class Restored:
    """A whole unified diff, and what there is to say of it."""

    data: bytes
    notes: tuple[str, ...]


@dataclass
class _Hunk:
    header: bytes
    start: int
    old: int
    new: int
    lines: list[bytes] = field(default_factory=list)


@dataclass
class _File:
    head: list[bytes] = field(default_factory=list)
    hunks: list[_Hunk] = field(default_factory=list)

    def names(self) -> tuple[str, str]:
        """Of the file before and after, as the diff writes them."""
        found = {line[:3]: line[4:].split(b"\t")[0].strip() for line in self.head}
        return found.get(b"---", b"").decode("latin-1"), found.get(b"+++", b"").decode("latin-1")

    def blob_after(self) -> str:
        """The name of the blob after, as far as the patch says it; empty if it does not."""
        found = blobs.INDEX.search(b"\n".join(self.head))
        return found[2].decode() if found else ""


def restored(name: str, data: bytes, source: str, look: Look) -> Restored:
    """The diff *data*, quoted in the file *name*, as it was sent; *look* gives the content
    of a file of the base, or None.

    InputError if a line is missing, or does not fit the base.
    """
    made: list[bytes] = []
    notes: list[str] = []
    for file in _files(name, data):
        old, new = file.names()
        path = _path(old if new == _NOWHERE else new, source)
        content = b"" if old == _NOWHERE else look(path)
        if content is None:
            notes.append(f"left out: {visible(path[:200])}")
            continue
        base = _Base(content)
        placed = [_placed(name, base, hunk) for hunk in file.hunks]
        lossy = any(not line.exact for each in placed for line in each.lines)
        whole = (
            blanks.restored(content, placed, file.blob_after())
            if lossy
            else blanks.Whole([[line.text for line in each.lines] for each in placed], ())
        )
        made += [*_headed(file.head), *_written(file.hunks, placed, whole.texts)]
        notes += _told(path, whole) if lossy else []
    return Restored(b"".join(line + b"\n" for line in made), tuple(notes))


def _files(name: str, data: bytes) -> Iterator[_File]:
    """What of a diff is for each file, its hunks not yet read."""
    lines = data.split(b"\n")
    if len(lines) > _MOST_LINES:
        raise InputError(f"{name} has more than {_MOST_LINES} lines: not a patch")
    file, hunks = _File(), 0
    for number, line in enumerate(lines):
        named = line.startswith(b"--- ") and b"".join(lines[number + 1 : number + 2])[:4] == b"+++ "
        if (_FILE.match(line) or (named and file.hunks)) and (file.head or file.hunks):
            yield file
            file = _File()
        hunk = _HUNK.match(line)
        if hunk:
            hunks += 1
            if hunks > _MOST_HUNKS:
                raise InputError(f"{name} has more than {_MOST_HUNKS} hunks")
            start, new = int(hunk[1]), int(hunk[4] or 1)
            file.hunks.append(_Hunk(line, start, int(hunk[2] or 1), new))
        elif file.hunks:
            file.hunks[-1].lines.append(line)
        else:
            file.head.append(line)
    yield file


def _path(name: str, source: str) -> str:
    """A name of the diff in the kernel's tree."""
    bare = name.partition("/")[2] if name[:2] in ("a/", "b/") else name
    return source if source.endswith(f"/{bare}") else bare


class _Base:
    """The lines of a file of the base, and the same without blanks."""

    def __init__(self, content: bytes) -> None:
        self.lines = content.split(b"\n")
        self.bare = [squeezed(line) for line in self.lines]


def _placed(name: str, base: _Base, hunk: _Hunk) -> Placed:
    """Where the lines of a hunk are in *base*: the nearest place to its number."""
    expected = hunk.start - 1 if hunk.old else hunk.start
    furthest = _Failure(-1, "it is empty")
    for begin in islice(_places(base, hunk, expected), _MOST_PLACES):
        found = _aligned(base, begin, hunk)
        if isinstance(found, Placed):
            return found
        furthest = max(furthest, found, key=lambda each: each.line)
    what = f"its quote of the hunk for line {hunk.start}"
    raise InputError(
        f"{name}: {what} cannot be restored: {furthest.reason}",
        "is the base the one that it was made for? was the quote cut or broken?",
    )


def _places(base: _Base, hunk: _Hunk, expected: int) -> Iterator[int]:
    yield expected
    marked = (line for line in hunk.lines if not line.startswith(b"+") and line.strip())
    first = next(marked, b"")
    skipped = 0
    for line in hunk.lines[: hunk.lines.index(first) if first else 0]:
        skipped += not line.startswith(b"+")
    wanted = {squeezed(first), squeezed(first[1:])} - {b""}
    places = [n - skipped for n, line in enumerate(base.bare) if line in wanted]
    yield from sorted((n for n in places if n != expected), key=lambda n: abs(n - expected))


@dataclass(frozen=True)
class _Failure:
    line: int
    reason: str


def _aligned(base: _Base, begin: int, hunk: _Hunk) -> Placed | _Failure:
    """The lines of *hunk* beside those of *base* from *begin* on."""
    lines: list[Line] = []
    old = new = at = 0
    while old < hunk.old or new < hunk.new:
        if at == len(hunk.lines):
            missing = max(hunk.old - old, hunk.new - new)
            return _Failure(at, f"{missing} lines of it are missing at its end")
        place = begin + old
        there = base.lines[place] if old < hunk.old and 0 <= place < len(base.lines) else None
        line = hunk.lines[at]
        found, taken = _line(hunk.lines[at:], there)
        if found:
            lines.append(found)
            old += found.kind != b"+"
            new += found.kind != b"-"
        elif line.strip() and lines and lines[-1].kind == b"+":
            # The end of an added line that a mail program broke.
            lines[-1] = Line(b"+", lines[-1].text + b" " + line.strip(), exact=False)
        elif line.strip():
            shown = visible(line[:60].decode(errors="replace"))
            number = begin + old + 1
            return _Failure(at, f"'{shown.strip()}' is not line {number} of the base")
        at += taken
    return Placed(begin, tuple(lines))


def _line(lines: Sequence[bytes], there: bytes | None) -> tuple[Line | None, int]:
    """What the first of *lines* is where the base has *there*, and how many lines it takes:
    more than one if a mail program broke it."""
    line = lines[0].removesuffix(b"\r")
    if there is not None:
        wanted = squeezed(there)
        for kind, text in ((b"-", line[1:] if line.startswith(b"-") else None), (b" ", line)):
            if text is not None and squeezed(text) == wanted:
                # A blank at the end of a line is nothing that a change depends on.
                return Line(kind, there, exact=line.rstrip() == (kind + there).rstrip()), 1
    if line.startswith(b"+"):
        return Line(b"+", line[1:]), 1
    if there is not None and line.strip() and wanted:
        for kind, text in ((b"-", line[1:] if line.startswith(b"-") else None), (b" ", line)):
            taken = _broken(text, lines, wanted) if text is not None else 0
            if taken:
                return Line(kind, there, exact=False), taken
    return None, 1


def _broken(text: bytes, lines: Sequence[bytes], wanted: bytes) -> int:
    """How many of *lines* the first of which is *text* make the line *wanted*; 0 if none."""
    whole = squeezed(text)
    for number, more in enumerate(lines[1:4], 2):
        if not whole or not wanted.startswith(whole):
            return 0
        whole += squeezed(more)
        if whole == wanted:
            return number
    return 0


def _headed(head: Sequence[bytes]) -> Iterator[bytes]:
    """A file's header, without what stands between it and the file before."""
    begins = (n for n, line in enumerate(head) if _FILE.match(line) or line.startswith(b"--- "))
    yield from head[next(begins, 0) :]


def _written(
    hunks: Sequence[_Hunk], placed: Sequence[Placed], texts: Sequence[Sequence[bytes]]
) -> Iterator[bytes]:
    """The hunks of one file as a diff writes them; each stands where its lines are."""
    moved = 0
    for hunk, each, new in zip(hunks, placed, texts, strict=True):
        found = _HUNK.match(hunk.header)
        old_at = each.begin + (1 if hunk.old else 0)
        new_at = each.begin + moved + (1 if hunk.new else 0)
        section = found[5] if found else b""
        yield b"@@ -%d,%d +%d,%d @@%s" % (old_at, hunk.old, new_at, hunk.new, section)
        for line, text in zip(each.lines, new, strict=True):
            yield line.kind + text
        moved += hunk.new - hunk.old


def _told(path: str, whole: "blanks.Whole") -> list[str]:
    if whole.proven:
        return [f"{path}: the quote lost blanks, all of which are restored: the result is the "
                f"blob {whole.blob} that the patch names"]  # fmt: skip
    notes = [f"{path}: the quote lost blanks: those of context are the base's, those of added "
             "lines are restored by the lines around them"]  # fmt: skip
    if whole.blob:
        notes[0] += f", and are not all right: the result is not the blob {whole.blob}"
    shown = [visible(text.decode(errors="replace"), keep="\t") for text in whole.doubtful]
    if shown:
        more = [f"and {len(shown) - _MOST_SHOWN} more"] if len(shown) > _MOST_SHOWN else []
        listed = "".join(f"\n  +{line}" for line in [*shown[:_MOST_SHOWN], *more])
        notes.append(f"{path}: what of blanks could not be restored for certain:{listed}")
    return notes
