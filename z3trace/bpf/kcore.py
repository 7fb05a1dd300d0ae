"""The memory of the running kernel, from /proc/kcore."""

import re
import struct
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from z3trace.bpf.btf import KernelTypes
from z3trace.errors import CannotTraceError

_KCORE = Path("/proc/kcore")
_KALLSYMS = Path("/proc/kallsyms")
_SIZE_LIMIT = 1 << 16
_STRUCT_PAGE = 64  # bytes; what probes/watch.bpf.h reckons with


@cache
def _segments() -> list[tuple[int, int, int]]:
    """(address, size, offset in the file) of each range of memory."""
    from elftools.elf.elffile import ELFFile

    with _KCORE.open("rb") as file:
        return [
            (int(s["p_vaddr"]), int(s["p_memsz"]), int(s["p_offset"]))
            for s in ELFFile(file).iter_segments("PT_LOAD")
        ]


def read_text(ranges: Mapping[str, tuple[int, int]]) -> dict[str, bytes]:
    """Bytes of ranges of addresses [start, end), of at most 64 KiB each.

    CannotTraceError if the kernel hides them; a range that is not mapped is missing.
    """
    contents: dict[str, bytes] = {}
    try:
        with _KCORE.open("rb", buffering=0) as file:
            for name, (start, end) in ranges.items():
                for base, size, offset in _segments():
                    if base <= start and end <= base + size:
                        file.seek(offset + start - base)
                        contents[name] = file.read(min(end - start, _SIZE_LIMIT))
    except OSError as error:
        raise CannotTraceError(
            f"cannot read the kernel's text from {_KCORE}: {error.strerror}",
            "it needs root, and a kernel that is not locked down",
        ) from error
    return contents


def memory_map() -> tuple[int, int]:
    """Addresses of the kernel's first struct page, and of the memory it stands for.

    CannotTraceError where this kernel has them elsewhere than x86-64 does.
    """
    try:
        types = KernelTypes()
    except OSError as error:
        raise CannotTraceError("the kernel has no BTF") from error
    try:
        if types.size("page") != _STRUCT_PAGE:
            raise CannotTraceError(f"a struct page is not {_STRUCT_PAGE} bytes here")
    finally:
        types.close()
    names = ("vmemmap_base", "page_offset_base")
    text = _KALLSYMS.read_text()
    ranges = {}
    for name in names:
        symbol = re.search(rf"^([0-9a-f]+) \w {name}$", text, re.M)
        if symbol:
            address = int(symbol[1], 16)
            ranges[name] = (address, address + 8)
    contents = read_text(ranges)
    if set(contents) != set(names):
        raise CannotTraceError("the kernel does not tell where its memory is mapped")
    first, second = (struct.unpack("<Q", contents[name])[0] for name in names)
    return int(first), int(second)
