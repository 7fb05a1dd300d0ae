"""Unpack a kernel's packages into a small root file system; never install them."""

import lzma
import subprocess
import zlib
from collections.abc import Sequence
from pathlib import Path

from z3trace import tools
from z3trace.kernels.layout import SOURCES, Kernel
from z3trace.kernels.packages import Say


def unpack(kernel: Kernel, debs: Sequence[Path], home: Path, say: Say) -> None:
    """Unpack *debs*, the source package last, into the directory of *kernel*, which will
    be moved to *home*."""
    for deb in debs[:-1]:
        say(f"unpacking {deb.name.split('_')[0]}")
        tools.run(["dpkg-deb", "-x", deb, kernel.root], doing=f"unpacking {deb.name}")
    _unpack_source(debs[-1], kernel.sources, say)
    say("preparing the kernel image and the module index")
    elf = unpack_image(kernel.packaged_image.read_bytes())
    if elf:
        kernel.unpacked_image.write_bytes(elf)
    _decompress_modules(kernel.root)
    tools.run(["depmod", "-b", kernel.root, kernel.release], doing="depmod")
    _relocate_headers(kernel.root, home / "root")


def _unpack_source(deb: Path, into: Path, say: Say) -> None:
    say("unpacking the kernel source (the files that are needed)")
    into.mkdir()
    stem = deb.name.split("_")[0]
    listing = subprocess.Popen(
        [tools.find("dpkg-deb"), "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE
    )
    archive = into / "source.tar.xz"
    with archive.open("wb") as file:
        subprocess.run(
            [tools.find("tar"), "-xO", f"./usr/src/{stem}.tar.xz"],
            stdin=listing.stdout,
            stdout=file,
            check=True,
        )
    if listing.stdout:
        listing.stdout.close()
    listing.wait()
    members = [f"{stem}/{name}" for name in SOURCES]
    tools.run(
        ["tar", "-xJf", archive, "--occurrence=1", "--strip-components=1", "-C", into, *members],
        doing="unpacking the kernel source",
    )
    archive.unlink()


def unpack_image(image: bytes) -> bytes | None:
    """The ELF kernel inside a bzImage whose payload is xz or gzip; None if it is neither."""
    at = image.find(b"\xfd7zXZ\x00")
    if at > 0:
        elf = lzma.LZMADecompressor(format=lzma.FORMAT_XZ).decompress(image[at:])
        return elf if elf.startswith(b"\x7fELF") else None
    at = image.find(b"\x1f\x8b\x08")
    if at > 0:
        elf = zlib.decompressobj(wbits=31).decompress(image[at:])
        return elf if elf.startswith(b"\x7fELF") else None
    return None


def _decompress_modules(root: Path) -> None:
    """A guest's first process has no xz, and every load of a module would need it."""
    compressed = sorted(root.glob("lib/modules/**/*.ko.xz"))
    for at in range(0, len(compressed), 500):
        tools.run(["xz", "-d", "-T0", *compressed[at : at + 500]], doing="unpacking modules")


def _relocate_headers(root: Path, home: Path) -> None:
    """The headers' Makefile includes its other half by an absolute path of an
    installed system; here it lies below *home*, where *root* will be moved."""
    for makefile in root.glob("usr/src/linux-headers-*/Makefile"):
        text = makefile.read_text()
        if text.startswith("include /usr/src/"):
            makefile.write_text(text.replace("include /usr/src/", f"include {home}/usr/src/"))
