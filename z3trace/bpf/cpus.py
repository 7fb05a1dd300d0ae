"""The kernel's CPUs by number."""

from pathlib import Path

_SYSTEM = Path("/sys/devices/system/cpu")


def numbers(text: str) -> list[int]:
    """The numbers of a list as the kernel writes it, such as ``0-3,8``."""
    listed: list[int] = []
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        listed += range(int(first), int(last or first) + 1)
    return listed


def possible() -> int:
    """How many CPU numbers the kernel may hand out: one more than the largest."""
    return numbers((_SYSTEM / "possible").read_text())[-1] + 1


def online() -> list[int]:
    """Numbers of the CPUs that run now."""
    return [cpu for cpu in numbers((_SYSTEM / "online").read_text()) if cpu < possible()]
