"""Quoting: the lines of applied patches, each with its number in the source after all of
them, so that a reply can say what it has to say below the right one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from z3trace.data.patchlines import PatchLine, PatchText
from z3trace.kernels import blobs
from z3trace.kernels.hunks import Hunk
from z3trace.kernels.patch import Patch
from z3trace.kernels.placing import File, Place
from z3trace.kernels.unified import Change
from z3trace.printable import visible

_KINDS: dict[str, Literal["context", "added", "removed"]] = {
    " ": "context",
    "+": "added",
    "-": "removed",
}


@dataclass(frozen=True)
class Applied:
    """A change of one file by one patch, and where its hunks went; *data*: the whole diff."""

    patch: Patch
    data: bytes
    change: Change
    places: Sequence[Place]


def texts(
    patches: Sequence[Patch], applied: Sequence[Applied], after: Mapping[str, bytes]
) -> list[PatchText]:
    """Every patch of *patches* that is unified, as a reply quotes it; *after*: the files
    with all of them."""
    files = {path: File(content) for path, content in after.items()}
    return [
        PatchText(
            patch.name,
            patch.subject,
            patch.sender,
            patch.wrote,
            [
                line
                for number, each in enumerate(applied)
                if each.patch is patch
                for line in _lines(each, applied[number + 1 :], files)
            ],
            patch.message,
        )
        for patch in patches
        if not patch.is_semantic
    ]


def _lines(
    applied: Applied, later: Sequence[Applied], files: Mapping[str, File]
) -> Iterator[PatchLine]:
    path = applied.change.path
    file = files.get(path)
    for text in _head(applied):
        yield PatchLine(text, "header", path)
    after = [each for each in later if each.change.path == path]
    moved = 0
    for number, (hunk, place) in enumerate(
        zip(applied.change.hunks, applied.places, strict=True), 1
    ):
        yield PatchLine(_header(hunk, moved), "hunk", path, 0, number)
        new_at = place.line + sum(
            len(one.new) - len(one.old) for one in applied.change.hunks[: number - 1]
        )
        # Where there is nothing before, the number is that of the line above.
        at = new_at + (0 if hunk.old else 1)
        for kind, text in _numbered(hunk):
            line = _moved(at, after)
            inside = file.function(line) if file and line else ""
            where = (path, line, number, inside.removesuffix("()"))
            yield PatchLine(kind + text, _KINDS[kind], *where)
            at += kind != "-"
        moved += len(hunk.new) - len(hunk.old)


def _head(applied: Applied) -> Iterator[str]:
    path = visible(applied.change.path)
    yield f"diff --git a/{path} b/{path}"
    index = blobs.INDEX.search(applied.data)
    if index and applied.data.count(b"\nindex ") <= 1:
        yield index[0].decode()
    yield "--- /dev/null" if applied.change.is_new else f"--- a/{path}"
    yield f"+++ b/{path}"


def _header(hunk: Hunk, moved: int) -> str:
    old, new = len(hunk.old), len(hunk.new)
    start = hunk.start + moved + (0 if old else 1) - (0 if new else 1)
    where = f"@@ -{hunk.start},{old} +{start},{new} @@"
    return f"{where} {visible(hunk.section)}".rstrip()


def _numbered(hunk: Hunk) -> Iterator[tuple[str, str]]:
    """(kind, text) of the lines of a hunk in the patch's order."""
    old, new = iter(hunk.old), iter(hunk.new)
    for kind in hunk.kinds:
        line = next(old) if kind != "+" else b""
        line = next(new) if kind != "-" else line
        yield kind, visible(line.decode(errors="replace").rstrip("\r\n"), keep="\t")


def _moved(line: int, later: Sequence[Applied]) -> int:
    """The number of a line after later patches; 0 if one removes it."""
    for each in later:
        line = _after(line, each)
        if not line:
            return 0
    return line


def _after(line: int, applied: Applied) -> int:
    shift = 0
    for hunk, place in zip(applied.change.hunks, applied.places, strict=True):
        if line < place.line:
            break
        if line < place.line + len(hunk.old):
            return _inside(line - place.line, place.line + shift, hunk)
        shift += len(hunk.new) - len(hunk.old)
    return line + shift


def _inside(wanted: int, at: int, hunk: Hunk) -> int:
    """The number of the old line *wanted* of a hunk, which begins at *at* afterwards."""
    old = 0
    for kind in hunk.kinds:
        if kind != "+" and old == wanted:
            return 0 if kind == "-" else at
        old += kind != "+"
        at += kind != "-"
    return at
