"""A module's file that somebody built, as a side of a comparison or for a check."""

import hashlib
from contextlib import suppress
from pathlib import Path

from z3trace import paths
from z3trace.code import modinfo, packed
from z3trace.code.module import ModuleFile
from z3trace.errors import InputError, UsageError, Z3traceError
from z3trace.kernels import facts
from z3trace.kernels.build import Module
from z3trace.kernels.layout import Kernel
from z3trace.printable import visible

_ENDINGS = (".ko", ".ko.xz", ".ko.zst", ".ko.gz")
_LONGEST = 80  # characters of a label


def is_module(text: str) -> bool:
    """Whether *text* names a module's file."""
    return text.endswith(_ENDINGS)


def module(text: str, kernel: Kernel, name: str) -> Module:
    """The module in the file *text*, as *kernel* can load it, in the cache, where a guest
    sees it; *name*: that of the target's module.

    UsageError if there is no such file, InputError if it is no module, another one, or one
    for another kernel.
    """
    path = Path(text)
    if not path.is_file():
        raise UsageError(f"there is no module file {visible(text)}")
    data = packed.read(path)
    file = ModuleFile(path)
    _must_fit(file, kernel, name)
    digest = hashlib.sha256(data).hexdigest()[:16]
    label = visible(path.name)[:_LONGEST]
    directory = paths.cache() / "modules" / kernel.release / f"{name}-given-{digest}"
    copy = directory / f"{name}.ko"
    fresh = not copy.exists()
    if fresh:
        with paths.new_directory(directory, replace=False) as work:
            (work / copy.name).write_bytes(data)
            # Without debug information that can be read there are no lines, and all else is.
            with suppress(Z3traceError):
                facts.write(work / copy.name, [])
    return Module(name, paths.trusted(copy), label, digest, fresh=fresh)


def _must_fit(file: ModuleFile, kernel: Kernel, name: str) -> None:
    shown = visible(file.path.name)
    if file.name != name:
        raise InputError(
            f"{shown} is the module {file.name}, and the target's is {name}",
            "give its target with --target; 'z3trace target init' drafts one",
        )
    release = modinfo.release(file.modinfo)
    if release != kernel.release:
        raise InputError(
            f"{shown} is built for the kernel {visible(release)[:80] or 'of no name'}, "
            f"not for {kernel.release}",
            "name its kernel with --release, or give its source",
        )
