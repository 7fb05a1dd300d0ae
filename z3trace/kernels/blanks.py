"""Blanks of added lines: where in a line they belong, by the kernel's style and the lines
around it, when an archive made one blank of all that stood together.

Each line has candidates, the most likely first.  If the hash of the whole file is known,
they are tried until it fits.
"""

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from z3trace.kernels import blobs

TAB = 8
_BLANKS = " \t\r\f\v"
_WIDEST = 80
#: Files that are hashed until one fits, and bytes of them all: one of 20 KB takes 50 us.
_MOST_TRIED = 4096
_MOST_HASHED = 256 << 20
_CONTROL = re.compile(
    r"(?:\}\s*)?(?:else\s+)?(?:if|for|while|switch|\w*for_each\w*)\s*\(.*\)|(?:\}\s*)?else|do"
)
_LABEL = re.compile(r"[A-Za-z_]\w*\s*:")
_CASE = re.compile(r"(?:case\b.*|default\s*):")
_GOES_ON = re.compile(r"(?:,|&&|\|\||[=+\-*/%?<>|&^(]|\b(?:return|sizeof))$")
_COMMENT = re.compile(r"/\*.*?\*/|//.*")
#: Blanks that may have been tabs: after a name in a comment, before a comment, in a define.
_COLUMN = re.compile(r"(?<=:) (?=\S)|(?<=;) (?=/\*)|(?<=,) (?=/\*)")
_DEFINE = re.compile(r"(#define \w+(?:\([^)]*\))?) ")
_NAMED = re.compile(r"\*? ?@\w+:")


@dataclass(frozen=True)
class Line:
    """A line of a hunk: its kind (blank, ``-`` or ``+``), and its text; of an added line
    as it was quoted.  *exact*: whether the quote has the base's own blanks."""

    kind: bytes
    text: bytes
    exact: bool = True


@dataclass(frozen=True)
class Placed:
    """The lines of a hunk at their place in the base, from 0."""

    begin: int
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Whole:
    """The texts of every line of every hunk.  *blob*: the name that the patch gives the
    result; *proven*: whether it has that name; *doubtful*: added lines that had other
    candidates."""

    texts: list[list[bytes]]
    doubtful: tuple[bytes, ...] = ()
    blob: str = ""
    proven: bool = False


def squeezed(line: bytes) -> bytes:
    """A line without its blanks."""
    return b"".join(line.split())


def _bare(text: str) -> str:
    """The same of text: other characters that Unicode calls blanks stay."""
    return "".join(re.split(f"[{_BLANKS}]+", text))


def _text(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def restored(content: bytes, hunks: Sequence[Placed], blob: str) -> Whole:
    """The texts of *hunks*, which lie in *content*; *blob*: the name of the file after."""
    base = _text(content).split("\n")
    twins = _twins(base)
    slots: list[tuple[int, int, list[str]]] = []
    texts: list[list[bytes]] = []
    above: list[str] = []
    done = 0
    for number, hunk in enumerate(hunks):
        above += base[done : hunk.begin]
        done = hunk.begin
        row: list[bytes] = []
        for place, line in enumerate(hunk.lines):
            text = _text(line.text)
            if line.kind == b"+":
                below = (_text(x.text) for x in hunk.lines[place:] if x.kind == b" ")
                next_ = next((each for each in below if each.strip()), "")
                found = candidates(above, text.strip(_BLANKS), twins, next_)
                slots.append((number, place, found))
                text = found[0]
            if line.kind != b"-":
                above.append(text)
            done += line.kind != b"+"
            row.append(_bytes(text))
        texts.append(row)
    return _chosen(content, hunks, texts, slots, blob)


def _chosen(
    content: bytes,
    hunks: Sequence[Placed],
    texts: list[list[bytes]],
    slots: list[tuple[int, int, list[str]]],
    blob: str,
) -> Whole:
    """The first of all combinations of candidates whose file has the name *blob*."""
    open_ = [slot for slot in slots if len(slot[2]) > 1]
    doubtful = tuple(texts[number][place] for number, place, _ in open_)
    if not blob:
        return Whole(texts, doubtful)
    most = min(_MOST_TRIED, _MOST_HASHED // max(len(content), 1))
    for values in itertools.islice(_combinations([slot[2] for slot in open_]), most):
        for (number, place, _), value in zip(open_, values, strict=True):
            texts[number][place] = _bytes(value)
        if blobs.is_of(_file(content, hunks, texts), blob):
            return Whole(texts, (), blob, proven=True)
    for number, place, found in open_:
        texts[number][place] = _bytes(found[0])
    return Whole(texts, doubtful, blob)


def _combinations(choices: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Every combination, if they are few; else those with one line other than its first."""
    if math.prod(map(len, choices)) <= _MOST_TRIED:
        yield from itertools.product(*choices)
        return
    first = tuple(choice[0] for choice in choices)
    yield first
    for number, choice in enumerate(choices):
        for other in choice[1:]:
            yield (*first[:number], other, *first[number + 1 :])


def _file(content: bytes, hunks: Sequence[Placed], texts: Sequence[Sequence[bytes]]) -> bytes:
    base = content.split(b"\n")
    made: list[bytes] = []
    done = 0
    for hunk, row in zip(hunks, texts, strict=True):
        made += base[done : hunk.begin]
        made += [t for line, t in zip(hunk.lines, row, strict=True) if line.kind != b"-"]
        done = hunk.begin + sum(line.kind != b"+" for line in hunk.lines)
    return b"\n".join([*made, *base[done:]])


def _twins(base: Sequence[str]) -> dict[str, str]:
    """Lines of the base by their text without blanks; those of which there are two kinds
    are not told apart."""
    known: dict[str, str] = {}
    for line in base:
        known.setdefault(_bare(line), line.strip(_BLANKS))
    return known


def columns(line: str) -> int:
    """How wide the blanks at the beginning of a line are."""
    return len(line.expandtabs(TAB)) - len(line.expandtabs(TAB).lstrip())


def _at(column: int, text: str) -> str:
    return "\t" * (column // TAB) + " " * (column % TAB) + text


def candidates(
    above: Sequence[str], text: str, twins: dict[str, str], below: str = ""
) -> list[str]:
    """What the line *text* may have been between the lines *above* and the line *below*, the
    most likely first.  *twins*: lines with their own blanks, by their text without any."""
    if not text:
        return [""]
    inner = [twins[_bare(text)]] if _bare(text) in twins else _inner(text, above)
    made = [_at(column, each) for column in _indents(above, text, below) for each in inner]
    return list(dict.fromkeys(made))


def _inner(text: str, above: Sequence[str]) -> list[str]:
    """The blanks inside of a line."""
    found = _COLUMN.search(text) if _NAMED.match(text) or "/*" in text else None
    found = found or _DEFINE.match(text)
    if not found:
        return [text]
    at = found.end() - 1
    made = [text[:at] + gap + text[at + 1 :] for gap in ("\t", "\t\t", " ", "\t\t\t")]
    column = _column(above[-1] if above else "", text)
    return sorted(made, key=lambda each: _column("", each) != column)


def _column(like: str, text: str) -> int:
    """Where the text after a name in a comment begins, in *like* if it has one."""
    found = re.search(r"@\w+:\s+", like or text)
    return len((like or text)[: found.end()].expandtabs(TAB)) if found else 0


def _code(line: str) -> str:
    return _COMMENT.sub("", line).strip()


def _in_comment(above: Sequence[str]) -> bool:
    line = above[-1].strip() if above else ""
    opened = line.rfind("/*") > line.rfind("*/")
    return opened or (line.startswith("*") and not line.endswith("*/"))


def _indents(above: Sequence[str], text: str, below: str) -> list[int]:
    """Columns at which *text* may begin, the most likely first."""
    if text.startswith("#"):
        return [0]
    if _in_comment(above) and above:
        opens = above[-1].strip().startswith("/*")
        return [columns(above[-1]) + 1 if opens else columns(above[-1])]
    lines = [line for line in above[-60:] if line.strip() and not _only_comment(line)]
    if not lines:
        return [0]
    begin = _statement(lines, len(lines) - 1)
    joined = " ".join(_code(line) for line in lines[begin:])
    own = columns(lines[begin])
    if joined.count("(") > joined.count(")") or _GOES_ON.search(joined):
        return _goes_on(lines, own)
    if _LABEL.fullmatch(joined) and not _CASE.fullmatch(joined) and below:
        return [columns(below)]
    return [max(0, _begins(lines, begin, joined, text))]


def _only_comment(line: str) -> bool:
    text = line.strip()
    return text.startswith(("/*", "* ", "*/")) or text == "*"


def _goes_on(lines: Sequence[str], own: int) -> list[int]:
    """Of a line that goes on with the statement above."""
    last = lines[-1].expandtabs(TAB)
    depth = 0
    for at in range(len(last) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(last[at], 0)
        if depth < 0:
            return list(dict.fromkeys([at + 1, own + 2 * TAB, own + TAB, own + 4]))
    aligned = columns(lines[-1]) if columns(lines[-1]) > own else own + TAB
    return list(dict.fromkeys([aligned, own + 2 * TAB, own + 4]))


def _statement(lines: Sequence[str], last: int) -> int:
    """The first line of the statement that ends with line *last*."""
    begin = last
    joined = _code(lines[last])
    while begin and (
        joined.count(")") > joined.count("(") or _GOES_ON.search(_code(lines[begin - 1]))
    ):
        begin -= 1
        joined = f"{_code(lines[begin])} {joined}"
    return begin


def _begins(lines: Sequence[str], begin: int, joined: str, text: str) -> int:
    """Of a line that begins a statement, below the one from line *begin* on."""
    own = columns(lines[begin])
    if _LABEL.fullmatch(text) and not _CASE.fullmatch(text):
        return 0
    if joined.endswith("{") or _CASE.fullmatch(joined):
        own += TAB
    elif _LABEL.fullmatch(joined):
        own = TAB
    elif _CONTROL.fullmatch(joined):
        return own if text == "{" else own + TAB
    else:
        own = _outer(lines, begin, own)
    if text.startswith("}") or (_CASE.fullmatch(text) and not _CASE.fullmatch(joined)):
        own -= TAB
    return own


def _outer(lines: Sequence[str], begin: int, own: int) -> int:
    """Where the statement goes on after one that may be all that an ``if`` governs."""
    while begin:
        before = _statement(lines, begin - 1)
        joined = " ".join(_code(line) for line in lines[before:begin])
        if not _CONTROL.fullmatch(joined) or columns(lines[before]) >= own:
            return own
        own, begin = columns(lines[before]), before
    return own
