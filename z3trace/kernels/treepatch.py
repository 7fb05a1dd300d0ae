"""Patches for files anywhere in a kernel's tree, which stays as it is: what comes of them is
handed to the build in the place of the tree's own."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from z3trace import paths
from z3trace.errors import InputError
from z3trace.kernels import patch, unified
from z3trace.kernels.patch import Patch
from z3trace.printable import visible

_MOST_FILES = 200


def patched(tree: Path, patches: Sequence[Patch], fuzz: int = 0) -> dict[str, bytes]:
    """Path in *tree* -> content of every file that *patches* change, applied in order.

    InputError if one does not fit, changes what is not there, or is more than a diff of
    files that stay.
    """
    touched = {each: _touched(each) for each in patches}
    files = dict.fromkeys(path for names in touched.values() for path in names)
    if len(files) > _MOST_FILES:
        raise InputError(f"the patches change {len(files)} files, more than {_MOST_FILES}")
    originals = {path: _read(tree, path) for path in files}
    return {
        path: _applied(originals, path, [each for each in patches if path in touched[each]], fuzz)
        for path in files
    }


def _touched(each: Patch) -> list[str]:
    if each.is_semantic:
        raise InputError(
            f"{each.name} is a semantic patch, which does not say for which files it is",
            "apply it to a tree of your own with spatch, and build that",
        )
    return unified.files_of(each.name, each.data)


def _read(tree: Path, path: str) -> bytes:
    file = tree / path
    if not file.is_file() or not file.resolve().is_relative_to(tree.resolve()):
        raise InputError(
            f"the patches change {visible(path[:200])}, which {tree} does not have",
            "a patch that makes, renames or removes files needs a tree that it was applied to",
        )
    return patch.read_source(file)


def _applied(
    originals: Mapping[str, bytes], path: str, patches: Sequence[Patch], fuzz: int
) -> bytes:
    """*path* with its patches; a header beside it is there, for a patch may change both."""
    with tempfile.TemporaryDirectory(prefix="z3t-") as name:
        work = Path(name)
        for each, content in originals.items():
            paths.write_atomic(work / each, content)
        patch.apply(patches, work, path, patch.Way(fuzz=fuzz))
        return patch.read_source(work / path)
