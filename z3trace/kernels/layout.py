"""Where things lie: in a distribution's kernel packages, and so in an unpacked kernel.

A kernel is unpacked under ``<cache>/kernels/<release>``::

    root/     the packages as they would be installed: boot, lib/modules, usr/src;
              lib is usr/lib
    source/   the files of the source package that modules are built from
    vmlinux   the ELF image, if the packaged one could be unpacked
"""

import re
from dataclasses import dataclass
from pathlib import Path

from z3trace import paths
from z3trace.errors import UsageError, Z3traceError

#: The files of the source package that modules are built from, as far as a kernel has them,
#: with the headers that lie beside them.
SOURCES = ("mm/z3fold.c", "mm/zsmalloc.c", "mm/zbud.c", "mm/*.h")
_SOURCE = re.compile(r"([a-z0-9][a-z0-9_-]*/)+[a-z0-9][a-z0-9_-]*\.c")


@dataclass(frozen=True)
class Kernel:
    """An unpacked kernel."""

    directory: Path
    release: str
    #: The packages' version, which says more than the release: ``6.1.192-2``.
    version: str
    #: Is it the one that the distribution installs if none is named?
    default: bool = True
    #: The suite of Debian that it was fetched from; empty: the machine's own.
    suite: str = ""
    #: Of a kernel that a user built: what tells it from others of its release; else empty.
    own: str = ""
    #: Whether QEMU can boot its ELF image: one without PVH's note is booted packed.
    boots_elf: bool = True

    @property
    def root(self) -> Path:
        return self.directory / "root"

    @property
    def unpacked_image(self) -> Path:
        return self.directory / "vmlinux"

    @property
    def packaged_image(self) -> Path:
        """As the distribution boots it: in boot, or beside the modules."""
        places = (self.root / f"boot/vmlinuz-{self.release}", self.modules / "vmlinuz")
        for path in places:
            if path.exists():
                return path
        raise Z3traceError(f"the packages of {self.release} hold no kernel image")

    @property
    def image(self) -> Path:
        """What QEMU boots: the ELF image if it could be unpacked, which spares the
        guest the decompression, else the packaged one."""
        if self.boots_elf and self.unpacked_image.exists():
            return self.unpacked_image
        return self.packaged_image

    @property
    def called(self) -> str:
        """Its release, and what tells it from others that have the same: what was built for
        one of them may not fit another."""
        return f"{self.release}-{self.own}" if self.own else self.release

    @property
    def built(self) -> Path:
        """Where modules that are built for it lie."""
        return paths.cache() / "modules" / self.called

    @property
    def headers(self) -> Path:
        return self.root / f"usr/src/linux-headers-{self.release}"

    @property
    def modules(self) -> Path:
        return self.root / f"lib/modules/{self.release}"

    @property
    def sources(self) -> Path:
        return self.directory / "source"

    def source(self, name: str) -> Path:
        """A file of the kernel's source, such as ``mm/z3fold.c``; UsageError for a name that
        is none: it may come from a stranger's target."""
        if not _SOURCE.fullmatch(name):
            raise UsageError(f"{name!r} is not a source file's name", "such as mm/z3fold.c")
        path = self.sources / name
        if not path.exists():
            raise Z3traceError(
                f"the source package of {self.release} has no {name}",
                "an older kernel may have it, such as --release 6.12",
            )
        return path

    def module(self, name: str) -> Path:
        """The packaged module's file."""
        files = sorted(self.modules.glob(f"kernel/**/{name}.ko*"))
        if not files:
            raise Z3traceError(f"{self.release} has no module {name}", "it may be built in")
        return files[0]
