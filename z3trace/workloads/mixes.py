"""Mixes: what a check runs of a workload of ours, one guest after the other, until all that
can be reached was reached.

Each mix is for paths that others do not take, or that others do not live to take: a bug may
kill every guest in which one path runs, and hide what lies behind another.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

_OPERATIONS = ("alloc", "free", "map", "unmap", "reclaim")
_COMMON = "threads=2,ops=200000"
ZPOOL_BENCH, ZS_BENCH = "zpool-bench", "zs-bench"


@dataclass(frozen=True)
class Mix:
    """*reaches*: words of the conditions and operations that it is for."""

    name: str
    parameters: str
    reaches: tuple[str, ...] = ()
    bench: str = ZPOOL_BENCH

    def workload(self, allocator: str) -> str:
        """The text of the workload on an allocator, such as ``z3fold``."""
        return self.bench_on(allocator, self.parameters)

    def bench_on(self, allocator: str, parameters: str) -> str:
        """Its bench on an allocator, with other *parameters*."""
        one_of_many = f"type={allocator}," if self.bench == ZPOOL_BENCH else ""
        return f"{self.bench}:{one_of_many}{parameters}"


_ZPOOL = (
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

_ZSMALLOC = (
    Mix(
        "everything",
        f"{_COMMON},slots=64,headless=10,compact=2,migrate=10,drain=1",
        bench=ZS_BENCH,
    ),
    Mix("no migration", f"{_COMMON},slots=1024,compact=5", ("compact",), ZS_BENCH),
    Mix("much migration", f"{_COMMON},slots=256,migrate=50,compact=2", ("migrat",), ZS_BENCH),
    Mix("no compaction", f"{_COMMON},slots=1024", ("alloc", "free", "map", "unmap"), ZS_BENCH),
    Mix(
        "tiny pool, many threads",
        "threads=8,ops=40000,slots=4,compact=20,migrate=20",
        ("compact", "migrat"),
        ZS_BENCH,
    ),
)
MIXES = {ZPOOL_BENCH: _ZPOOL, ZS_BENCH: _ZSMALLOC}


def of(workload: str) -> tuple[Mix, ...]:
    """The mixes of the bench in the text of a *workload*, by default those of zpool-bench."""
    return MIXES.get(workload.partition(":")[0], _ZPOOL)


def following(mixes: Sequence[Mix], done: Collection[str], missing: Sequence[str]) -> Mix | None:
    """The next mix: of those that are not *done* the one that is for most of what is
    *missing*, by the names of conditions and operations; None if there is none left."""
    left = [mix for mix in mixes if mix.name not in done]
    if not left:
        return None
    return max(left, key=lambda mix: sum(_is_for(mix, name) for name in missing))


def _is_for(mix: Mix, name: str) -> bool:
    """By the operation's name, or by a word of the condition's."""
    words = [word for word in mix.reaches if word not in _OPERATIONS]
    return name in mix.reaches or any(word.lower() in name.lower() for word in words)
