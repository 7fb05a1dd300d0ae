"""The ELF kernel inside a packed image, such as a distribution's vmlinuz.

The image's own header says where the packed kernel lies (Documentation/arch/x86/boot.rst
of the kernel).  In an image without it the beginning of each format is looked for; what
looks like one by chance is passed over.
"""

import bz2
import lzma
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator

from z3trace.errors import Z3traceError

_ELF = b"\x7fELF"
#: Bytes of an unpacked kernel; Debian's has 60 to 80 MB.
_LIMIT = 512 << 20
_SECTOR = 512
#: In the image's header: number of sectors of set-up code, a magic, and the packed kernel.
_SECTORS, _MAGIC, _PAYLOAD = 0x1F1, 0x202, 0x248
_SIZE = 4  # bytes
_WINDOW = 1 << 27  # bytes that zstd looks back at its strongest


def unpack(image: bytes) -> bytes | None:
    """The ELF kernel in *image*; None if there is none that can be unpacked here.

    gzip, bzip2, xz, lzma and zstd are unpacked by libraries, lz4 and lzo by the programs
    lz4 and lzop where they are installed.
    """
    for packed in _candidates(image):
        elf = _unpacked(packed)
        if elf:
            return elf
    return None


def _candidates(image: bytes) -> Iterator[bytes]:
    """What may be the packed kernel, and what comes behind it."""
    if image[_MAGIC : _MAGIC + 4] == b"HdrS" and len(image) >= _PAYLOAD + 8:
        start, length = struct.unpack_from("<II", image, _PAYLOAD)
        start += ((image[_SECTORS] or 4) + 1) * _SECTOR
        if length and start + length <= len(image):
            yield image[start : start + length]
    # Not for an ELF kernel as it is: lz4 and lzo have its first bytes as they are, too.
    for magic in _FORMATS:
        at = image.find(magic)
        while at >= 0:
            yield image[at:]
            at = image.find(magic, at + 1)


def _unpacked(packed: bytes) -> bytes | None:
    if packed.startswith(_ELF):
        return packed
    for magic, unpack_it in _FORMATS.items():
        if packed.startswith(magic):
            try:
                data = unpack_it(packed)
            # A magic that was none, a library that is not there: the next one.
            except (lzma.LZMAError, zlib.error, OSError, EOFError, ValueError, Z3traceError):
                return None
            return data if data.startswith(_ELF) else None
    return None


def _gzip(packed: bytes) -> bytes:
    return zlib.decompressobj(wbits=31).decompress(packed, _LIMIT)


def _bzip2(packed: bytes) -> bytes:
    return bz2.BZ2Decompressor().decompress(packed, _LIMIT)


def _xz(packed: bytes) -> bytes:
    return lzma.LZMADecompressor().decompress(packed, _LIMIT)


def _zstd(packed: bytes) -> bytes:
    import zstandard

    unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
    try:
        return unpacker.decompress(packed)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error


def _program(name: str, *options: str) -> Callable[[bytes], bytes]:
    def unpack_it(packed: bytes) -> bytes:
        path = shutil.which(name)
        if not path:
            raise ValueError(f"{name} is not installed")
        # The kernel's build writes the size behind the data, of which they complain, or for
        # which they give nothing at all (lz4 1.10).
        for data in (packed[:-_SIZE], packed):
            done = subprocess.run([path, *options], input=data, capture_output=True, check=False)
            if done.stdout.startswith(_ELF):
                return done.stdout
        return b""

    return unpack_it


_FORMATS: dict[bytes, Callable[[bytes], bytes]] = {
    b"\xfd7zXZ\x00": _xz,
    b"\x28\xb5\x2f\xfd": _zstd,
    b"\x1f\x8b\x08": _gzip,
    b"BZh": _bzip2,
    b"\x5d\x00\x00": _xz,
    b"\x02\x21\x4c\x18": _program("lz4", "-dc"),
    b"\x89LZO\x00\r\n\x1a\n": _program("lzop", "-dc"),
}
