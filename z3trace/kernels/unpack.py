"""Unpack a kernel's packages into a small root file system; never install them."""

import re
from collections.abc import Sequence
from pathlib import Path

from z3trace import tools
from z3trace.errors import Z3traceError
from z3trace.kernels import debs, image, sourcetree
from z3trace.kernels.layout import SOURCES, Kernel
from z3trace.kernels.lists import Say

#: How a packed module's name ends -> what unpacks it in its place.
_PACKED = {".xz": ("xz", "-dq", "-T0"), ".gz": ("gzip", "-dq"), ".zst": ("zstd", "-dq", "--rm")}
_AT_ONCE = 500  # files of one command
#: The headers name each other by where they lie in an installed system.
_ABSOLUTE = re.compile(r"(?<![\w/.])/usr/(src|lib)/linux-")


def unpack(kernel: Kernel, packages: Sequence[Path], home: Path, say: Say) -> None:
    """Unpack *packages*, the source last, into the directory of *kernel*, which will be
    moved to *home*."""
    kernel.root.mkdir(parents=True, exist_ok=True)
    _merge_usr(kernel.root)
    for deb in packages[:-1]:
        say(f"unpacking {deb.name.split('_')[0]}")
        debs.unpack(deb, kernel.root)
    say("unpacking the kernel source (the files that are needed)")
    kernel.sources.mkdir()
    sourcetree.unpack(packages[-1], kernel.sources, SOURCES)
    say("preparing the kernel image and the module index")
    elf = image.unpack(kernel.packaged_image.read_bytes())
    if elf:
        kernel.unpacked_image.write_bytes(elf)
    if not (kernel.modules / "kernel").is_dir():
        raise Z3traceError(f"the packages of {kernel.release} hold no modules")
    _unpack_modules(kernel.modules)
    tools.run(["depmod", "-b", kernel.root, kernel.release], doing="depmod")
    _relocate_headers(kernel.root, home / "root")


def _merge_usr(root: Path) -> None:
    """Some packages have lib, some usr/lib: both names are the same directory."""
    (root / "usr/lib").mkdir(parents=True)
    (root / "lib").symlink_to("usr/lib")


def _unpack_modules(modules: Path) -> None:
    """A guest's first process unpacks nothing, and every load of a module would have to."""
    for ending, command in _PACKED.items():
        packed = sorted(modules.glob(f"kernel/**/*.ko{ending}"))
        for at in range(0, len(packed), _AT_ONCE):
            tools.run([*command, *packed[at : at + _AT_ONCE]], doing="unpacking modules")


def _relocate_headers(root: Path, home: Path) -> None:
    """The headers' Makefile names its other half, and where it is itself, by an absolute
    path of an installed system; here it lies below *home*, where *root* will be moved."""
    for makefile in root.glob("usr/src/linux-headers-*/Makefile"):
        # The common half is a kernel's own Makefile, and names nothing so.
        if makefile.stat().st_size < _AT_ONCE:
            text = makefile.read_text()
            makefile.write_text(_ABSOLUTE.sub(lambda match: f"{home}{match[0]}", text))
