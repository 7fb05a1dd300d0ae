"""The base of a review: the source that patches are for, wherever it comes from."""

import os
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from z3trace import paths, tools
from z3trace.errors import InputError, UsageError, Z3traceError
from z3trace.kernels import patch, unified, variant
from z3trace.kernels.layout import Kernel
from z3trace.kernels.lists import Say
from z3trace.kernels.patched import Patches, fitted
from z3trace.kernels.variant import Variant
from z3trace.printable import visible

PACKAGED = "packaged"
#: Patches, lines of fuzz, defines.
UNPATCHED: tuple[Sequence[Path], int, Sequence[str]] = ((), 0, ())
_LIMIT = 4 << 20  # bytes
_MOST_HEADERS = 64
_REVISION = re.compile(r"[A-Za-z0-9._/~^{}:+-]{1,200}")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LONGEST_LABEL = 60
#: A repository is somebody's: none of its settings may run a program, or fetch.
_GIT = ("git", "--no-pager", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never")


@dataclass(frozen=True)
class Base:
    """*label*: what reports call it; *files*: what it has in the place of the packaged
    files, none of which may run what it likes; *origin*: where it is from, in words;
    *commit*: of a revision, the whole name of its commit."""

    label: str
    files: dict[str, bytes]
    origin: str
    commit: str = ""
    ours: bool = False


def resolve(  # noqa: PLR0913 - where it may be from, and how it is read
    text: str, kernel: Kernel, source: str, say: Say, *, boxed: bool = True, target: str = ""
) -> Base:
    """The base *text* for *source*: ``packaged``, a ``.c`` file, a directory that is a
    kernel's tree, ``TREE@REVISION``, or a variant.

    UsageError if it is none of these, or a variant of another target than *target*;
    InputError if it has no such source.
    """
    if text in (PACKAGED, "stock"):
        content = _bounded(kernel.source(source))
        return Base("stock", {source: content}, f"{source} of {kernel.version}", ours=True)
    path = Path(text)
    if text.endswith(".c") and path.is_file():
        return Base(_label(path.stem), {source: _bounded(path)}, f"the file {path.name}")
    if path.is_dir():
        return Base(_label(path.resolve().name), _from_tree(path, source), f"the tree {path.name}")
    tree, _, revision = text.rpartition("@")
    if tree and Path(tree).is_dir():
        return _from_revision(Path(tree), revision, source)
    if text.endswith(".toml") or text in variant.shipped():
        chosen = variant.load(text, target=target)
        files = _patched(chosen, kernel, source, say, boxed=boxed)
        ours = variant.ours([text], [])
        return Base(chosen.name, files, f"the variant {chosen.name}", ours=ours)
    raise UsageError(
        f"there is no base {visible(text)}",
        "a base is 'packaged', a .c file, a kernel tree, TREE@REVISION, or a variant: "
        f"{', '.join(variant.shipped(target))}",
    )


def variant_of(  # noqa: PLR0913 - what it is, and how it is patched
    text: str,
    kernel: Kernel,
    source: str,
    say: Say,
    how: tuple[Sequence[Path], int, Sequence[str]] = UNPATCHED,
    *,
    boxed: bool = True,
    target: str = "",
) -> Variant:
    """The variant that *text* names as ``variant.load`` knows it, or the base that it is
    otherwise, with the patches of *how*: (patches, fuzz, defines)."""
    if variant.is_named(text):
        return variant.load(text, *how, target)
    base = resolve(text, kernel, source, say, boxed=boxed, target=target)
    chosen = variant.load("stock", *how)
    name = chosen.name.replace("stock", base.label, 1)
    return replace(chosen, name=name, files=base.files)


def _label(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+-]", "_", name)[:_LONGEST_LABEL] or "base"


def _bounded(path: Path) -> bytes:
    return paths.read_bounded(path, _LIMIT)


def _from_tree(tree: Path, source: str) -> dict[str, bytes]:
    if not (tree / source).is_file():
        raise InputError(f"the tree {visible(str(tree))} has no {source}")

    def look(name: str) -> bytes | None:
        path = tree / name
        inside = path.resolve().is_relative_to(tree.resolve())
        return _bounded(path) if inside and path.is_file() else None

    return _with_headers(source, look)


def _with_headers(source: str, look: Callable[[str], bytes | None]) -> dict[str, bytes]:
    """*source* and the headers beside it that it includes, itself or by another one; those
    in other directories are the kernel's that it is built for."""
    directory = source.rpartition("/")[0]
    found: dict[str, bytes] = {}
    pending = [source]
    while pending and len(found) <= _MOST_HEADERS:
        name = pending.pop()
        content = look(name)
        if content is None or name in found:
            continue
        found[name] = content
        paths_of = (f"{directory}/{other}" for other in patch.included(content))
        pending += [path for path in paths_of if unified.is_beside(path, source)]
    return found


def _git(tree: Path, *words: str) -> bytes:
    environment = {**os.environ, "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
    argv: list[str | Path] = [*_GIT, "-C", tree, *words]
    return tools.output(argv, env=environment, doing=f"git {words[0]}", timeout=60)


def _from_revision(tree: Path, revision: str, source: str) -> Base:
    where = f"the repository {visible(tree.name)}"
    if not _REVISION.fullmatch(revision) or revision.startswith("-"):
        raise UsageError(f"{visible(revision)!r} is no revision", "give one as in TREE@v6.1")
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    try:
        commit = _git(tree, *asked).decode("ascii", "replace").strip()
    except Z3traceError as error:
        raise InputError(f"{where} has no revision {revision}") from error
    if not _COMMIT.fullmatch(commit):
        raise InputError(f"{where} has no revision {revision}")

    def look(name: str) -> bytes | None:
        listed = _git(tree, "ls-tree", "-l", commit, "--", f":(top,literal){name}").split()
        if len(listed) < 4 or listed[1] != b"blob" or not listed[0].startswith(b"100"):
            return None
        if int(listed[3]) > _LIMIT:
            raise InputError(f"{name} of {where} is larger than {_LIMIT} bytes")
        return _git(tree, "cat-file", "blob", listed[2].decode())

    files = _with_headers(source, look)
    if source not in files:
        raise InputError(f"{visible(revision)} has no {source}")
    label = _label(f"{tree.resolve().name}-{commit[:12]}")
    return Base(label, files, f"commit {commit[:12]} of {tree.resolve().name}", commit)


def _patched(
    chosen: Variant, kernel: Kernel, source: str, say: Say, *, boxed: bool
) -> dict[str, bytes]:
    """*source* with the patches of a variant, and the headers beside it that they change."""
    chosen = fitted(chosen, kernel, source, say)
    patches = Patches(chosen, say)
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory) / "tree"
        patches.lay_out(kernel, source, tree)
        way = patch.Way(lambda each, text: say(f"{each.name}: {text}"), chosen.fuzz, boxed)
        headers = patch.apply(patches.patches, tree, source, way)
        return {path: patch.read_source(tree / path) for path in (source, *headers)}
