"""A kernel that a user built, as the kernels of packages lie in the cache (``layout``).

What a guest, the probes and the build of modules need of a build tree is copied, so that the
next build in that tree changes nothing under a comparison.  The tree may be a stranger's: what
is copied are regular files that lie in it.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from z3trace import paths
from z3trace.errors import InputError, UsageError
from z3trace.kernels import kconfig, maketree
from z3trace.kernels.box import Bounds, Box
from z3trace.kernels.layout import SOURCES, Kernel
from z3trace.kernels.lists import Say
from z3trace.printable import visible

_IMAGE = Path("arch/x86/boot/bzImage")
_RELEASE = re.compile(r"\d{1,3}\.\d{1,3}[A-Za-z0-9.+~_-]{0,58}")
_SMALL = 64 << 10
_CONFIG_LIMIT = 4 << 20
_LARGEST = 4 << 30  # bytes of one file
_MANIFEST = "manifest.json"
_BOUNDS = Bounds(memory=16 << 30, file=_LARGEST, files=200_000, size=16 << 30, links=True)
#: Of the source and of what was built: what modules and probes are compiled with.
_HEADERS = ("include", "scripts", "arch/x86", "tools/include", "tools/objtool")
_OF_HEADERS = re.compile(
    r"(include|arch/x86/include|arch/x86/.*/include|tools/include)/.*\.h"
    r"|(arch/x86/(.*/)?)?(Makefile[^/]*|Kbuild[^/]*|Platform|Kconfig[^/]*)"
    r"|include/(config|generated)/.*|arch/x86/include/generated/.*|include/.*Kbuild"
    r"|scripts/(?!kconfig/|dtc/).*|tools/objtool/objtool|arch/x86/module\.lds"
)
_NOT_OF_HEADERS = re.compile(r".*\.(o|a|cmd|o\.d)")
_LISTS = ("modules.builtin", "modules.builtin.modinfo", "modules.order")


@dataclass(frozen=True)
class BuildTree:
    """Where a kernel was built, and its source: often the same directory.

    *over*: files that were seen in the place of the source's own, by their path in it.
    """

    objects: Path
    source: Path
    over: Mapping[str, Path]

    def release(self) -> str:
        """InputError if it is none that a directory can be called by."""
        path = self._inside(self.objects, "include/config/kernel.release")
        text = paths.read_bounded(path, _SMALL).decode(errors="replace").strip()
        if not _RELEASE.fullmatch(text):
            raise InputError(f"{self.objects} has an odd release: {visible(text[:80])!r}")
        return text

    def file(self, name: str) -> Path:
        """A file of what was built; InputError if there is none."""
        return self._inside(self.objects, name)

    def config(self) -> dict[str, str]:
        data = paths.read_bounded(self.file(".config"), _CONFIG_LIMIT)
        return kconfig.parsed(data.decode(errors="replace"))

    def modules(self) -> list[Path]:
        """The modules that were built, by their paths in the tree."""
        order = self.objects / "modules.order"
        if not order.is_file():
            return []
        text = paths.read_bounded(self.file("modules.order"), _CONFIG_LIMIT).decode()
        listed = [line.removeprefix("kernel/") for line in text.splitlines() if line]
        return [Path(line).with_suffix(".ko") for line in listed]

    def _inside(self, root: Path, name: str) -> Path:
        path = (root / name).resolve()
        if not path.is_relative_to(root.resolve()) or not path.is_file():
            raise InputError(f"{root} is not a whole build: it has no {name}")
        return path


def is_tree(path: Path) -> bool:
    """Whether a kernel was built in the directory *path*."""
    return (path / _IMAGE).is_file() and (path / "vmlinux").is_file()


def tree_of(path: Path) -> BuildTree:
    """The build at *path*: a directory, or the bzImage in one."""
    root = path.absolute()
    made = maketree.home_of(root) / "obj"
    if is_tree(made) and not is_tree(root):
        # Not by the link in it to its source: what was built there may be a stranger's.
        tree = maketree.Tree(root.resolve(), made.parent)
        laid = [path for path in tree.over.rglob("*") if path.is_file()]
        return BuildTree(made, tree.source, {str(p.relative_to(tree.over)): p for p in laid})
    if root.is_file() and root.parts[-4:] == _IMAGE.parts:
        root = root.parents[3]
    if not is_tree(root):
        raise UsageError(
            f"{path} is no built kernel: it has no {_IMAGE} and vmlinux",
            "'z3trace kernel make TREE' builds one, and prints what to give here",
        )
    # A build outside of its source has a link to it.
    link = root / "source"
    source = link.resolve() if link.is_symlink() and link.is_dir() else root
    return BuildTree(root, source, {})


def take(tree: BuildTree, say: Say) -> Kernel:
    """The kernel that was built in *tree*, from the cache or copied into it."""
    release, digest = tree.release(), _digest(tree)
    directory = paths.cache() / "own" / f"{release}-{digest}"
    if not (directory / _MANIFEST).exists():
        say(f"taking the kernel {release} from {tree.objects}")
        with paths.new_directory(directory, replace=False) as work:
            _lay_out(tree, Kernel(work, release, digest))
            boots = tree.config().get("CONFIG_PVH") == "y"
            manifest = {"release": release, "version": digest, "boots_elf": boots}
            (work / _MANIFEST).write_text(json.dumps(manifest, indent=1))
    return load(directory)


def load(directory: Path) -> Kernel:
    """A kernel that ``take`` laid out."""
    manifest = json.loads((paths.trusted(directory) / _MANIFEST).read_bytes())
    release, digest = str(manifest["release"]), str(manifest["version"])
    return Kernel(
        *(directory, release, digest),
        default=False,
        own=digest,
        boots_elf=bool(manifest["boots_elf"]),
    )


def kernels() -> list[Kernel]:
    """Every kernel that was taken, by release."""
    home = paths.cache() / "own"
    return [load(path) for path in sorted(home.glob("[0-9]*")) if (path / _MANIFEST).is_file()]


def is_taken(path: Path) -> bool:
    """Whether *path* is a directory that ``take`` made."""
    own = path.parent == (paths.cache() / "own").resolve()
    return own and (path / _MANIFEST).is_file()


def _digest(tree: BuildTree) -> str:
    """Of all that a guest would run."""
    digest = hashlib.sha256()
    names = [str(_IMAGE), ".config", *map(str, tree.modules())]
    for name in names:
        with tree.file(name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]


def _lay_out(tree: BuildTree, kernel: Kernel) -> None:
    release = kernel.release
    boot, modules = kernel.root / "boot", kernel.modules
    _copy(tree.file(str(_IMAGE)), boot / f"vmlinuz-{release}")
    _copy(tree.file(".config"), boot / f"config-{release}")
    _copy(tree.file("vmlinux"), kernel.unpacked_image)
    for module in tree.modules():
        _copy(tree.file(str(module)), modules / "kernel" / module)
    for name in _LISTS:
        if (tree.objects / name).is_file():
            _copy(tree.file(name), modules / name)
    modules.mkdir(parents=True, exist_ok=True)
    (modules / "build").symlink_to(f"/usr/src/{kernel.headers.name}")
    _headers(tree, kernel.headers)
    for name in _matching(tree.source, SOURCES):
        _copy(_original(tree, name), kernel.sources / name)
    _finish(kernel)


def _finish(kernel: Kernel) -> None:
    """What programs do that read a stranger's modules: in the box.  Debug information is as
    large as the rest ten times over, and the types (BTF) are apart from it."""
    box = Box(kernel.directory, bounds=_BOUNDS)
    images = [kernel.unpacked_image, *sorted(kernel.modules.rglob("*.ko"))]
    for image in images:
        box.run(["objcopy", "--strip-debug", image], doing="objcopy", timeout=300)
    box.run(["depmod", "-b", kernel.root, kernel.release], doing="depmod")


def _headers(tree: BuildTree, home: Path) -> None:
    """Source and objects as one directory, as if the kernel had been built in its source."""
    for root in dict.fromkeys([tree.source, tree.objects]):
        # The Makefile of objects that lie apart only names the source.
        apart = root != tree.source
        for name in _below(root, _HEADERS):
            if _OF_HEADERS.fullmatch(name) and not _NOT_OF_HEADERS.fullmatch(name):
                _copy(_original(tree, name) if not apart else root / name, home / name)
        for name in ("Makefile", "Kbuild") if not apart else ():
            _copy(_original(tree, name), home / name)
    for name in (".config", "Module.symvers"):
        _copy(tree.file(name), home / name)


def _original(tree: BuildTree, name: str) -> Path:
    return tree.over.get(name, tree.source / name)


def _below(root: Path, folders: Iterable[str]) -> Iterator[str]:
    """Every regular file below *folders* of *root*; no link is followed."""
    for folder in folders:
        if not (root / folder).resolve().is_relative_to(root.resolve()):
            continue
        for directory, _, names in os.walk(root / folder):
            for name in names:
                path = Path(directory, name)
                if path.is_file() and not path.is_symlink():
                    yield str(path.relative_to(root))


def _matching(root: Path, patterns: Iterable[str]) -> Iterator[str]:
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            if path.is_file() and path.resolve().is_relative_to(root.resolve()):
                yield str(path.relative_to(root))


def _copy(source: Path, target: Path) -> None:
    """Content and whether it may be executed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fd = paths.open_regular(source)
    if fd is None:
        raise InputError(f"{source} is no regular file")
    with os.fdopen(fd, "rb") as file, target.open("wb") as copy:
        if os.fstat(fd).st_size > _LARGEST:
            raise InputError(f"{source} is larger than {_LARGEST >> 30} GiB")
        shutil.copyfileobj(file, copy, 1 << 20)
        target.chmod(0o755 if os.fstat(fd).st_mode & 0o100 else 0o644)
