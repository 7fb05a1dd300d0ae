"""Mixes: what a check runs of zpool-bench, one guest after the other, until all that can be
reached was reached.

Each mix is for paths that others do not take, or that others do not live to take: a bug may
kill every guest in which one path runs, and hide what lies behind another.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

_OPERATIONS = ("alloc", "free", "map", "unmap", "reclaim")
_COMMON = "threads=2,ops=200000"


@dataclass(frozen=True)
class Mix:
    """*reaches*: words of the conditions and operations that it is for."""

    name: str
    parameters: str
    reaches: tuple[str, ...] = ()

    def workload(self, allocator: str) -> str:
        """The text of the workload on an allocator, such as ``z3fold``."""
        return f"zpool-bench:type={allocator},{self.parameters}"


MIXES = (
    Mix("everything", f"{_COMMON},slots=64,headless=10,reclaim=20,refuse=30,drain=1"),
    Mix(
        "no HEADLESS",
        f"{_COMMON},slots=256,headless=0,reclaim=20,refuse=50",
        ("refused", "compact", "reclaim"),
    ),
    Mix(
        "every eviction refused",
        f"{_COMMON},slots=64,headless=30,reclaim=20,refuse=100",
        ("refused", "HEADLESS"),
    ),
    Mix("no reclaim", f"{_COMMON},slots=1024,headless=5", ("alloc", "free", "map", "unmap")),
    Mix("only HEADLESS", f"{_COMMON},slots=64,headless=100,reclaim=20,refuse=30", ("HEADLESS",)),
    Mix(
        "tiny pool, many threads",
        "threads=8,ops=40000,slots=4,headless=0,reclaim=50,refuse=30",
        ("empty", "compact"),
    ),
    Mix("no eviction refused", f"{_COMMON},slots=64,headless=10,reclaim=50", ("reclaim",)),
    Mix("drain", f"{_COMMON},slots=16,headless=0,reclaim=5,refuse=0,drain=1", ("empty",)),
)


def following(done: Collection[str], missing: Sequence[str]) -> Mix | None:
    """The next mix: of those that are not *done* the one that is for most of what is
    *missing*, by the names of conditions and operations; None if there is none left."""
    left = [mix for mix in MIXES if mix.name not in done]
    if not left:
        return None
    return max(left, key=lambda mix: sum(_is_for(mix, name) for name in missing))


def _is_for(mix: Mix, name: str) -> bool:
    """By the operation's name, or by a word of the condition's."""
    words = [word for word in mix.reaches if word not in _OPERATIONS]
    return name in mix.reaches or any(word.lower() in name.lower() for word in words)
