"""Build a small kernel from a tree, in the box: what a guest and the probes need, no more.

The tree is only read, and is compiled into a directory of the cache that is kept: the next
build of the same tree compiles what has changed.  A patched build is one where patched files
are seen in the place of the tree's own.
"""

import hashlib
import os
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from z3trace import paths, tools
from z3trace.errors import CannotTraceError, InputError, UsageError, Z3traceError
from z3trace.kernels import fragment, kconfig
from z3trace.kernels.box import Bounds, Box
from z3trace.kernels.lists import Say
from z3trace.words import amount

#: What every build of a kernel runs -> Debian's package.
_PROGRAMS = {
    "bc": "bc",
    "bison": "bison",
    "flex": "flex",
    "gcc": "gcc",
    "make": "make",
    "pahole": "pahole",
}
_HEADERS = {"libelf.h": "libelf-dev"}
_INCLUDED = (Path("/usr/include"), Path("/usr/local/include"))
_BOUNDS = Bounds(memory=16 << 30, file=4 << 30, files=200_000, size=32 << 30, links=True)
_TIMEOUT = 4 * 3600  # seconds of one step; a large configuration takes hours
_CONFIG_LIMIT = 4 << 20
_FRAGMENT = "z3trace.config"
_BUILT_IN_TREE = (".config", "include/config", "include/generated")
_NAME = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True)
class Tree:
    """A kernel's source, and where it is built: *home* has the directories ``obj`` (all that
    the build writes, and may be a stranger's) and ``over`` (patched files)."""

    source: Path
    home: Path

    @property
    def objects(self) -> Path:
        return self.home / "obj"

    @property
    def over(self) -> Path:
        return self.home / "over"


def tree_of(source: Path) -> Tree:
    """The tree at *source*; InputError if it is no kernel's, UsageError if it was built in
    itself: nothing can then be built beside it."""
    source = source.resolve()
    for name in ("Makefile", "Kconfig", "scripts/Kbuild.include", "arch/x86/Makefile"):
        if not (source / name).is_file():
            raise InputError(f"{source} is no kernel's source: it has no {name}")
    if any((source / name).exists() for name in _BUILT_IN_TREE):
        raise UsageError(
            f"{source} was configured or built in its own directory",
            "'make mrproper' there cleans it; if it is built, --kernel takes it as it is",
        )
    return Tree(source, home_of(source))


def home_of(source: Path) -> Path:
    """Where the tree at *source* is built."""
    source = source.resolve()
    called = _NAME.sub("_", source.name)[:60]
    place = hashlib.sha256(os.fsencode(source)).hexdigest()[:8]
    return paths.cache() / "trees" / f"{called}-{place}"


def must_have_tools() -> None:
    """CannotTraceError, with all that is missing, if no kernel can be built here."""
    missing = []
    for program, package in _PROGRAMS.items():
        try:
            tools.find(program)
        except Z3traceError:
            missing.append(package)
    headers = {name for path in _INCLUDED for name in _HEADERS if (path / name).exists()}
    missing += [package for name, package in _HEADERS.items() if name not in headers]
    if missing:
        raise CannotTraceError(
            f"a kernel cannot be built here: {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not installed",
            f"on Debian: apt-get install --no-install-recommends {' '.join(missing)}",
        )


@dataclass(frozen=True)
class Built:
    """What a build came to: the objects, and (what was done, seconds) of each step."""

    tree: Tree
    steps: tuple[tuple[str, float], ...]


def build(  # noqa: PLR0913 - what is built, and how
    tree: Tree,
    say: Say,
    *,
    config: Path | None = None,
    patched: Mapping[str, bytes] | None = None,
    jobs: int = 2,
    boxed: bool = True,
) -> Built:
    """Configure *tree* if that is to be done, and compile it.

    *config*: a configuration in the place of the smallest; *patched*: files in the place of
    the tree's own.  CannotTraceError if the configuration lacks what a guest needs.
    """
    must_have_tools()
    tree.objects.mkdir(parents=True, exist_ok=True)
    paths.trusted(tree.home)
    make = _Make(tree, _laid_over(tree, patched or {}), jobs, boxed)
    steps = []
    before = time.monotonic()
    if _configure(make, config, say):
        steps.append(("config", time.monotonic() - before))
    _must_be_able(tree, say)
    was_there = (tree.objects / "vmlinux").exists()
    say(f"compiling {tree.source.name}" + (", what has changed" if was_there else ""))
    before = time.monotonic()
    log = make.run(["bzImage", "modules"], "building the kernel")
    steps.append(("incremental build" if was_there else "build", time.monotonic() - before))
    paths.write_atomic(tree.home / "build.log", log)
    return Built(tree, tuple(steps))


@dataclass(frozen=True)
class _Make:
    """make for a tree, in the box."""

    tree: Tree
    over: Sequence[tuple[Path, Path]]
    jobs: int
    boxed: bool

    def run(self, targets: Sequence[str], doing: str, *variables: str) -> str:
        if self.over and not self.boxed:
            raise UsageError("patched files are seen in the box only: leave out --unboxed")
        ccache = bool(shutil.which("ccache"))
        # The same tree has the same release, patched or not: the two are to be compared.
        words: list[str | Path] = ["nice", "make", "-C", self.tree.source, f"O={self.tree.objects}"]
        words += [f"-j{self.jobs}", "LOCALVERSION=", *variables]
        words += ["CC=ccache gcc", "HOSTCC=ccache gcc"] if ccache else []
        box = Box(
            *(self.tree.objects, [self.tree.source], self.boxed),
            bounds=_BOUNDS,
            over=tuple(self.over),
        )
        environment = {
            # Of this tree alone: what a stranger's build leaves there meets no other.
            "CCACHE_DIR": str(self.tree.objects / ".ccache"),
            "KBUILD_BUILD_USER": "z3trace",
            "KBUILD_BUILD_HOST": "box",
        }
        return box.run([*words, *targets], doing=doing, environment=environment, timeout=_TIMEOUT)


def _laid_over(tree: Tree, patched: Mapping[str, bytes]) -> list[tuple[Path, Path]]:
    """The files that are seen in the place of the tree's own.  make goes by times: one that
    was patched in an earlier build is seen as a copy, with the time of the last change."""
    known = {str(path.relative_to(tree.over)) for path in _files(tree.over)}
    over = []
    for name in sorted({*known, *patched}):
        original = tree.source / name
        if not original.is_file():
            (tree.over / name).unlink()
            continue
        content = patched[name] if name in patched else original.read_bytes()
        copy = tree.over / name
        if not copy.exists() or copy.read_bytes() != content:
            paths.write_atomic(copy, content)
        over.append((copy, original))
    return over


def _files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def _configure(make: _Make, config: Path | None, say: Say) -> bool:
    """Write ``.config`` if what it is made of is new; whether it was."""
    objects, stamp = make.tree.objects, make.tree.home / "configured"
    wanted = paths.read_bounded(config, _CONFIG_LIMIT) if config else fragment.text().encode()
    if (objects / ".config").exists() and stamp.exists() and stamp.read_bytes() == wanted:
        return False
    stamp.unlink(missing_ok=True)
    if config:
        say(f"configuring by {config.name}")
        paths.write_atomic(objects / ".config", wanted)
        make.run(["olddefconfig"], "configuring the kernel")
    else:
        say("configuring the smallest kernel that a guest and the probes can use")
        paths.write_atomic(objects / _FRAGMENT, wanted)
        make.run(
            *(["allnoconfig"], "configuring the kernel"),
            f"KCONFIG_ALLCONFIG={objects / _FRAGMENT}",
        )
    paths.write_atomic(stamp, wanted)
    return True


def _must_be_able(tree: Tree, say: Say) -> None:
    """CannotTraceError if what was configured cannot be a guest; the rest is said."""
    written = paths.read_bounded(tree.objects / ".config", _CONFIG_LIMIT, follow=False)
    config = kconfig.parsed(written.decode(errors="replace"))
    missing = fragment.lacking(config, "guest")
    if missing:
        raise CannotTraceError(
            f"{tree.source.name}, as configured, cannot be a guest: {missing[0].said}"
            + (f" (and {amount(len(missing) - 1, 'more option')})" if missing[1:] else ""),
            "'z3trace kernel config FILE' lists all that it lacks",
        )
    for each in fragment.lacking(config, "probes", "better"):
        say(each.said)
