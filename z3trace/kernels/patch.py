"""Read and apply patches: semantic (``.cocci``) and unified (``.patch``, ``.diff``, mailbox).

Patches come from strangers.  What is plainly code in one is refused when it is read
(``semantic.py``, ``unified.py``); what is left runs in the box, gets at the source alone,
and what it makes of that is read back as something a stranger wrote.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from z3trace import paths
from z3trace.errors import InputError, UsageError, Z3traceError
from z3trace.kernels import semantic, unified
from z3trace.kernels.box import Box, said

_PATCH_LIMIT = 4 << 20  # bytes
_SOURCE_LIMIT = 4 << 20  # bytes
_REJECT_LIMIT = 64 << 10  # bytes
_UNIFIED = (".patch", ".diff", ".mbox", ".eml", ".txt")
_ALIGNED = re.compile(rb"__attribute__\(\(aligned\((\w+)\)\)\)")


@dataclass(frozen=True)
class Patch:
    """A patch as it was read, once: the same bytes are judged, digested and applied."""

    path: Path
    data: bytes

    @property
    def is_semantic(self) -> bool:
        return self.path.suffix == ".cocci"


def read(path: Path) -> Patch:
    """The patch in a file; InputError if it is none or holds code.

    A link to a patch is followed: the user named it.
    """
    if path.suffix not in (".cocci", *_UNIFIED):
        raise UsageError(f"{path}: a patch ends in .cocci, .patch, .diff or .mbox")
    if not path.exists():
        raise UsageError(f"cannot read the patch {path}", "it is not there")
    patch = Patch(path, paths.read_bounded(path, _PATCH_LIMIT))
    if patch.is_semantic:
        semantic.must_be_plain(str(path), patch.data)
    return patch


def apply(patch: Patch, tree: Path, source: str, *, boxed: bool = True) -> None:
    """Apply one patch to *source* in *tree*; InputError with the reject if it does not."""
    target = tree / source
    before = read_source(target)
    if patch.is_semantic:
        before = _parseable(before)
        target.write_bytes(before)
        _apply_semantic(patch, tree, source, boxed=boxed)
    else:
        _apply_unified(patch, tree, source, boxed=boxed)
    if read_source(target) == before:
        raise InputError(
            f"{patch.path} changes nothing in {source}",
            "is it for this kernel, and for this file?",
        )


def read_source(path: Path) -> bytes:
    """The source, as far as it is one: InputError for a link, a device, a flood."""
    return paths.read_bounded(path, _SOURCE_LIMIT, follow=False)


def _parseable(source: bytes) -> bytes:
    """Coccinelle gives up on a function with an attribute that takes an argument;
    the kernel's own macro for it means the same and is understood."""
    return _ALIGNED.sub(rb"__aligned(\1)", source)


def _apply_semantic(patch: Patch, tree: Path, source: str, *, boxed: bool) -> None:
    Box(tree, boxed=boxed).run(
        ["spatch", "--very-quiet", "--sp-file", "/dev/stdin", "--in-place", source],
        data=patch.data,
        doing=f"{patch.path.name} (spatch)",
    )


def _apply_unified(patch: Patch, tree: Path, source: str, *, boxed: bool) -> None:
    name = patch.path.name
    lines = unified.only_lines(name, patch.data, source)
    try:
        Box(tree, boxed=boxed).run(
            ["patch", "-p1", "--unified", "--batch", "--forward", "--no-backup-if-mismatch"],
            data=lines,
            doing=f"{name} does not apply: patch",
        )
    except Z3traceError as error:
        reject = (tree / source).with_name(Path(source).name + ".rej")
        if type(error) is Z3traceError and reject.exists():
            text = said(paths.read_bounded(reject, _REJECT_LIMIT, follow=False))
            raise InputError(f"{error}\n{text}".rstrip()) from error
        raise
