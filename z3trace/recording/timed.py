"""The figures of a *timed* build, which its own module keeps: asked for through debugfs.

The layout is that of ``testbed/timed/tables.h``.  A stranger's patch may be in the module,
so that what it says is read up to a length, and believed only as far as it makes sense.
"""

import os
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

from z3trace import paths
from z3trace.code.module import ModuleFile
from z3trace.data import limits
from z3trace.data.buckets import BUCKETS
from z3trace.data.counts import LockCounts, Nesting, Series
from z3trace.data.timed import Timed, TimedBuild, TimedCall, TimedCallCounts, TimedLedger
from z3trace.errors import CannotTraceError, InputError
from z3trace.target import lockclasses
from z3trace.target.definition import Target

_DEBUGFS = Path("/sys/kernel/debug")
_MAGIC = 0x31444D495454335A
_LEDGER = (
    "held_overflows",
    "unmatched_releases",
    "self_tries",
    "forgotten_tries",
    "open_holds",
)
_COUNTS = (
    *("acquisitions", "contended", "trylock_failures", "releases"),
    *("wait_sum", "wait_max", "wait_min", "hold_sum", "hold_max", "hold_min"),
)
_EVENTS = _COUNTS[:4]
_METRICS = ("wait", "hold")
_NONE = (1 << 64) - 1  # the least of no values
_LARGEST = (1 << 63) - 1


class TimedModule:
    """A timed build of *target*, built by z3trace: its lock calls, and their figures in the
    kernel where it is loaded.

    CannotTraceError if the module at *path* is no timed build.
    """

    def __init__(self, path: Path, target: Target) -> None:
        module = ModuleFile(path)
        calls = module.facts.calls
        if calls is None:
            raise CannotTraceError(
                f"{path} does not time its own locks",
                "build it with 'z3trace kernel build --timed'",
            )
        self._directory = _DEBUGFS / f"z3timed-{module.name}"
        self._classes, names = lockclasses.classes(calls, target)
        self._numbers = [self._classes.index(name) for name in names]
        self.build = TimedBuild(
            build_id=module.build_id,
            digest=module.variant.get("digest", ""),
            calls=[
                TimedCall(
                    number=number,
                    file=call.file,
                    line=call.line,
                    function=call.function,
                    expression=call.expression,
                    lock=name,
                    action=call.action,
                    kind=call.kind,
                )
                for number, (call, name) in enumerate(zip(calls, names, strict=True))
            ],
        )

    def start(self) -> None:
        """Tell the loaded module the class of each call, and let all figures begin anew.

        CannotTraceError if the module is not loaded, or is another one.
        """
        path = self._directory / "classes"
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(fd, bytes([0, *self._numbers]))
            finally:
                os.close(fd)
        except OSError as error:
            raise CannotTraceError(
                f"the timed build of {self._directory.name.partition('-')[2]} does not answer: "
                f"{path}: {error.strerror}",
                "load the module that was built, and mount debugfs",
            ) from error

    def read(self) -> Timed:
        """The figures since the last start.  While other CPUs still count, sums may be some
        events apart: read after the workload has ended.

        InputError if they are not such as the module that was built gives.
        """
        expected = 8 * (2 + len(_LEDGER) + limits.CLASSES**2 + _buckets(0, 0, 2))
        expected += 8 * len(_COUNTS) * len(self.build.calls)
        data = paths.read_bounded(self._directory / "figures", expected)
        if len(data) != expected:
            raise InputError(f"the timed build gave {len(data)} bytes of figures, not {expected}")
        return self._figures(struct.unpack(f"<{expected // 8}Q", data))

    def _figures(self, words: Sequence[int]) -> Timed:
        if words[0] != _MAGIC or words[1] != len(self.build.calls):
            raise InputError("the figures of the timed build are of another build")
        at = 2 + len(_LEDGER)
        ledger = TimedLedger(**_bounded(_LEDGER, words[2:at]))
        nesting, at = words[at : at + limits.CLASSES**2], at + limits.CLASSES**2
        buckets, at = words[at : at + _buckets(0, 0, 2)], at + _buckets(0, 0, 2)
        width = len(_COUNTS)
        counts = [
            _bounded(_COUNTS, words[at + width * i : at + width * (i + 1)])
            for i in range(len(self.build.calls))
        ]
        locks = [self._lock(number, counts) for number in range(len(self._classes))]
        series = [
            self._series(metric, number, counts, buckets)
            for number in range(len(self._classes))
            for metric in _METRICS
        ]
        return Timed(
            series=[one for one in series if one is not None],
            locks=[lock for lock in locks if lock.lock != lockclasses.OTHER or _any(lock)],
            calls=[
                TimedCallCounts(call=i, **{k: v for k, v in one.items() if "_min" not in k})
                for i, one in enumerate(counts)
            ],
            nesting=list(self._nesting(nesting)),
            ledger=ledger,
        )

    def _of_class(self, number: int, counts: Sequence[dict[str, int]]) -> list[dict[str, int]]:
        return [one for one, its in zip(counts, self._numbers, strict=True) if its == number]

    def _lock(self, number: int, counts: Sequence[dict[str, int]]) -> LockCounts:
        its = self._of_class(number, counts)
        sums = {name: _sum(one[name] for one in its) for name in _EVENTS}
        return LockCounts(lock=self._classes[number], **sums)

    def _series(
        self,
        metric: str,
        number: int,
        counts: Sequence[dict[str, int]],
        words: Sequence[int],
    ) -> Series | None:
        its = self._of_class(number, counts)
        start = _buckets(_METRICS.index(metric), number, 0)
        found = {i: n for i, n in enumerate(words[start : start + BUCKETS]) if n}
        least = min((one[f"{metric}_min"] for one in its), default=_NONE)
        if metric == "wait":
            free = _sum(one["acquisitions"] for one in its) - _sum(found.values())
            if free > 0:
                found[0] = found.get(0, 0) + free
                least = 0
        if not found:
            return None
        return Series(
            metric=metric,  # type: ignore[arg-type]
            lock=self._classes[number],
            count=_sum(found.values()),
            sum=_sum(one[f"{metric}_sum"] for one in its),
            min=_small(least),
            max=max(one[f"{metric}_max"] for one in its),
            buckets=sorted(found.items()),
        )

    def _nesting(self, words: Sequence[int]) -> Iterable[Nesting]:
        known = range(len(self._classes))
        for held, acquired in ((h, a) for h in known for a in known):
            count = _small(words[held * limits.CLASSES + acquired])
            if count:
                yield Nesting(
                    held=self._classes[held], acquired=self._classes[acquired], count=count
                )


def _buckets(metric: int, lock: int, after: int) -> int:
    """Where the histogram of a metric and a class begins, *after* so many metrics."""
    return ((metric + after) * limits.CLASSES + lock) * BUCKETS


def _small(value: int) -> int:
    if value > _LARGEST:
        raise InputError("a figure of the timed build is larger than any can be")
    return value


def _sum(values: Iterable[int]) -> int:
    return _small(sum(values))


def _bounded(names: Sequence[str], values: Sequence[int]) -> dict[str, int]:
    return {
        name: value if name.endswith("_min") else _small(value)
        for name, value in zip(names, values, strict=True)
    }


def _any(lock: LockCounts) -> bool:
    return bool(lock.acquisitions or lock.trylock_failures or lock.releases)
