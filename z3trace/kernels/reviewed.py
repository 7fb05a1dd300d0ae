"""What a review is of: a base, and the same with patches, as two variants of a module, and
the patches as they are quoted."""

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from z3trace.data.patchlines import PatchText
from z3trace.errors import InputError
from z3trace.kernels import blobs, handed, patch, quoting, variant
from z3trace.kernels.base import Base
from z3trace.kernels.layout import Kernel
from z3trace.kernels.lists import Say
from z3trace.kernels.patched import Patches
from z3trace.kernels.quoting import Applied
from z3trace.kernels.variant import Variant

_LABEL = re.compile(r"[^A-Za-z0-9._+-]+")
_LONGEST = 40


@dataclass(frozen=True)
class Pair:
    """*notes*: what there is to say of base and patches in the report: the blobs, what was
    restored, left out, or not put exactly where it should be."""

    before: Variant
    after: Variant
    texts: list[PatchText]
    notes: list[str]


def pair(  # noqa: PLR0913 - a base, patches, and how they are put into it
    kernel: Kernel,
    source: str,
    base: Base,
    files: Sequence[Path],
    say: Say,
    *,
    fuzz: int = 0,
    boxed: bool = True,
) -> Pair:
    """The *base* of *source*, and the same with the patches in *files*; InputError if one
    does not apply, or if they change nothing."""
    notes: list[str] = []

    def note(text: str) -> None:
        notes.append(text)
        say(text)

    patches = patch.read_all(files, note)
    before = Variant(base.label, "", (), files=base.files, many=base.many)
    applied: list[Applied] = []
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory) / "tree"
        Patches(before, say).lay_out(kernel, source, tree)
        way = patch.Way(
            lambda each, text: note(f"{each.name}: {text}"),
            fuzz,
            boxed,
            bool(base.many),
            lambda *what: applied.append(Applied(*what)),
        )
        headers = patch.apply(patches, tree, source, way)
        made = {path: patch.read_source(tree / path) for path in (source, *headers)}
    for text in _blobs(applied, base, made):
        note(text)
    after = Variant(_name(base, files), "", (), files={**base.files, **made}, many=base.many)
    if before.files == after.files:
        raise InputError("the patches change nothing in the base")
    return Pair(before, after, quoting.texts(patches, applied, made), notes)


def _name(base: Base, files: Sequence[Path]) -> str:
    names = [_LABEL.sub("_", handed.stem(path)).strip("_")[:_LONGEST] for path in files]
    more = f"+{len(names) - 1}" if len(names) > 1 else ""
    name = f"{base.label}+{names[0] or 'patch'}{more}"
    return f"{name}-patched" if name in (base.label, *variant.shipped()) else name


def _blobs(applied: Sequence[Applied], base: Base, made: dict[str, bytes]) -> Iterator[str]:
    """What the index lines of the patches say, held against the files; of a series the
    first for the base, the last for the result."""
    known: dict[str, list[tuple[str, str]]] = {}
    for each in applied:
        found = _index(each)
        if found:
            known.setdefault(each.change.path, []).append(found)
    for path, index in known.items():
        if path in base.files and path in made:
            both = index[0][0], index[-1][1]
            yield blobs.held_against(path, base.files[path], made[path], both)


def _index(applied: Applied) -> tuple[str, str] | None:
    """The blobs that a diff names for the file of a change."""
    path = applied.change.path.encode()
    for part in re.split(rb"(?m)^(?=diff --git )", applied.data):
        if part.partition(b"\n")[0].endswith(path) or part.count(b"\nindex ") == 1:
            found = blobs.INDEX.search(part)
            if found and (b"+++ b/" + path in part or b"--- a/" + path in part):
                return found[1].decode(), found[2].decode()
    return None
