"""The memory of the running kernel, from /proc/kcore."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from z3trace.errors import CannotTraceError

_KCORE = Path("/proc/kcore")
_SIZE_LIMIT = 1 << 16


@cache
def _segments() -> list[tuple[int, int, int]]:
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
    found: dict[str, bytes] = {}
    try:
        with _KCORE.open("rb", buffering=0) as file:
            for name, (start, end) in ranges.items():
                for base, size, offset in _segments():
                    if base <= start and end <= base + size:
                        file.seek(offset + start - base)
                        found[name] = file.read(min(end - start, _SIZE_LIMIT))
    except OSError as error:
        raise CannotTraceError(
            f"cannot read the kernel's text from {_KCORE}: {error.strerror}",
            "it needs root, and a kernel that is not locked down",
        ) from error
    return found
