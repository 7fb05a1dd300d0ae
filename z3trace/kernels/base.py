"""The base of a review: the source that patches are for, wherever it comes from."""

import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from z3trace import paths, tools
from z3trace.errors import InputError, UsageError, Z3traceError
from z3trace.kernels import manyfiles, patch, unified, variant
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
    *commit*: of a revision, the whole name of its commit; *many* as of a ``Variant``."""

    label: str
    files: dict[str, bytes]
    origin: str
    commit: str = ""
    ours: bool = False
    many: str = ""


def resolve(  # noqa: PLR0913 - where it may be from, and how it is read
    text: str,
    kernel: Kernel,
    source: str,
    say: Say,
    *,
    boxed: bool = True,
    target: str = "",
    module: str = "",
) -> Base:
    """The base *text* for *source*: ``packaged``, a ``.c`` file, a directory that is a
    kernel's tree or that of the *module* alone, ``TREE@REVISION``, or a variant.

    Of a tree in which a Makefile says that the *module* is made of several files, all are
    taken that lie beside *source* or below.  UsageError if it is none of these, or a variant
    of another target than *target*; InputError if it has no such source.
    """
    if text in (PACKAGED, "stock"):
        content = _bounded(kernel.source(source))
        return Base("stock", {source: content}, f"{source} of {kernel.version}", ours=True)
    path = Path(text)
    if text.endswith(".c") and path.is_file():
        return Base(_label(path.stem), {source: _bounded(path)}, f"the file {path.name}")
    if path.is_dir():
        files, many = _from_tree(path, source, module)
        return Base(
            _label(path.resolve().name), files, f"the tree {path.resolve().name}", many=many
        )
    tree, _, revision = text.rpartition("@")
    if tree and Path(tree).is_dir():
        return _from_revision(Path(tree), revision, source, module)
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
    module: str = "",
) -> Variant:
    """The variant that *text* names as ``variant.load`` knows it, or the base that it is
    otherwise, with the patches of *how*: (patches, fuzz, defines)."""
    if variant.is_named(text):
        return variant.load(text, *how, target)
    base = resolve(text, kernel, source, say, boxed=boxed, target=target, module=module)
    chosen = variant.load("stock", *how)
    name = chosen.name.replace("stock", base.label, 1)
    return replace(chosen, name=name, files=base.files, many=base.many)


def _label(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+-]", "_", name)[:_LONGEST_LABEL] or "base"


def _bounded(path: Path) -> bytes:
    return paths.read_bounded(path, _LIMIT)


def _from_tree(tree: Path, source: str, module: str) -> tuple[dict[str, bytes], str]:
    if not (tree / source).is_file():
        raise InputError(f"the tree {visible(str(tree))} has no {source}")

    def look(name: str) -> bytes | None:
        path = tree / name
        inside = path.resolve().is_relative_to(tree.resolve())
        return _bounded(path) if inside and path.is_file() else None

    def below(directory: str) -> Iterator[str]:
        for folder, folders, names in os.walk(tree / directory):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                yield Path(folder, name).relative_to(tree).as_posix()

    return _of_module(source, module, look, below)


def _of_module(
    source: str,
    module: str,
    look: Callable[[str], bytes | None],
    below: Callable[[str], Iterable[str]],
) -> tuple[dict[str, bytes], str]:
    """The files that a module is built from, and what it is called if they are many; *below*:
    the names of all files below a directory."""
    directory = source.rpartition("/")[0]
    beside = [manyfiles.joined(directory, name) for name in manyfiles.MAKEFILES]
    makefile = next((name for name in beside if look(name) is not None), "")
    if not makefile or not module:
        return _with_headers(source, look), ""
    many = manyfiles.made_of_many(look(makefile) or b"", module, alone=not directory)
    if not many:
        return _with_headers(source, look), ""
    names = [name for name in below(directory) if manyfiles.belongs(name, directory)]
    return manyfiles.gathered(names, look), many


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
        paths_of = (manyfiles.joined(directory, other) for other in patch.included(content))
        pending += [path for path in paths_of if unified.is_beside(path, source)]
    return found


def _git(tree: Path, *words: str) -> bytes:
    environment = {**os.environ, "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
    argv: list[str | Path] = [*_GIT, "-C", tree, *words]
    return tools.output(argv, env=environment, doing=f"git {words[0]}", timeout=60)


def _from_revision(tree: Path, revision: str, source: str, module: str) -> Base:
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

    def below(directory: str) -> Iterator[str]:
        where = [f":(top,literal){directory}"] if directory else []
        listed = _git(
            tree, "ls-tree", "-r", "-z", "--full-tree", "--name-only", commit, "--", *where
        )
        yield from listed.decode("utf-8", "surrogateescape").split("\0")

    files, many = _of_module(source, module, look, below)
    if source not in files:
        raise InputError(f"{visible(revision)} has no {source}")
    label = _label(f"{tree.resolve().name}-{commit[:12]}")
    origin = f"commit {commit[:12]} of {tree.resolve().name}"
    return Base(label, files, origin, commit, many=many)


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
