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
_VALUES = ("sum", "max", "min", "count")
_METRICS = ("wait", "hold")
#: *events*: acquisitions, or releases of a call that releases.
_COUNTS = (
    *("events", "trylock_failures"),
    *(f"{metric}_{value}" for metric in _METRICS for value in _VALUES),
)
_EVENTS = {
    "acquisitions": "acquisitions",
    "contended": "wait_count",
    "trylock_failures": "trylock_failures",
    "releases": "releases",
}
_CALL = ("wait_sum", "wait_max", "hold_sum", "hold_max")
#: Of so many acquisitions, on average, the hold of one is timed: all would slow a module
#: whose locks are held shortly by half and more, and prolong the holds around them.
EVERY = 8
_MOST = 255
_NONE = (1 << 64) - 1  # the least of no values
_LARGEST = (1 << 63) - 1


class TimedModule:
    """A timed build of *target*, built by z3trace: its lock calls, and their figures in the
    kernel where it is loaded.  Of *every* acquisitions of a spinning lock, on average and at
    random, the hold of one is timed (1 to 255); all are counted, and all waits are timed.

    CannotTraceError if the module at *path* is no timed build.
    """

    def __init__(self, path: Path, target: Target, every: int = EVERY) -> None:
        if not 0 < every <= _MOST:
            raise ValueError(f"{every} is not from 1 to {_MOST}")
        module = ModuleFile(path)
        calls = module.facts.calls
        if calls is None:
            raise CannotTraceError(
                f"{path} does not time its own locks",
                "build it with 'z3trace kernel build --timed'",
            )
        self._every = every
        self._directory = _DEBUGFS / f"z3timed-{module.name}"
        classes = lockclasses.classify(calls, target)
        self._classes = classes.names
        self._numbers = [self._classes.index(name) for name in classes.of_calls]
        self.build = TimedBuild(
            build_id=module.build_id,
            digest=module.variant.get("digest", ""),
            folded=classes.folded,
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
                for number, (call, name) in enumerate(zip(calls, classes.of_calls, strict=True))
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
                os.write(fd, bytes([self._every, *self._numbers]))
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
        words = 2 + len(_LEDGER) + (limits.CLASSES + 1) * limits.CLASSES
        words += _buckets(0, 0, 2) + len(_COUNTS) * len(self.build.calls)
        expected = 8 * words
        data = paths.read_bounded(self._directory / "figures", expected)
        if len(data) != expected:
            raise InputError(f"the timed build gave {len(data)} bytes of figures, not {expected}")
        return self._figures(struct.unpack(f"<{words}Q", data))

    def _figures(self, words: Sequence[int]) -> Timed:
        if words[0] != _MAGIC or words[1] != len(self.build.calls):
            raise InputError("the figures of the timed build are of another build")
        at = 2 + len(_LEDGER)
        ledger = TimedLedger(**_bounded(_LEDGER, words[2:at]))
        size = (limits.CLASSES + 1) * limits.CLASSES
        nesting, at = words[at : at + size], at + size
        buckets, at = words[at : at + _buckets(0, 0, 2)], at + _buckets(0, 0, 2)
        width = len(_COUNTS)
        counts = [
            _bounded(_COUNTS, words[at + width * i : at + width * (i + 1)])
            for i in range(len(self.build.calls))
        ]
        for one, call in zip(counts, self.build.calls, strict=True):
            releases = call.action == "release"
            one["acquisitions"] = 0 if releases else one["events"]
            one["releases"] = one["events"] if releases else 0
        locks = [self._lock(number, counts) for number in range(len(self._classes))]
        series = [
            self._series(metric, number, counts, buckets)
            for number in range(len(self._classes))
            for metric in _METRICS
        ]
        return Timed(
            every=self._every,
            series=[one for one in series if one is not None],
            locks=[lock for lock in locks if lock.lock != lockclasses.OTHER or _any(lock)],
            calls=[
                TimedCallCounts(
                    call=i,
                    holds=one["hold_count"],
                    **{name: one[key] for name, key in _EVENTS.items()},
                    **{name: one[name] for name in _CALL},
                )
                for i, one in enumerate(counts)
            ],
            nesting=list(self._nesting(nesting)),
            ledger=ledger,
        )

    def _of_class(self, number: int, counts: Sequence[dict[str, int]]) -> list[dict[str, int]]:
        return [one for one, its in zip(counts, self._numbers, strict=True) if its == number]

    def _lock(self, number: int, counts: Sequence[dict[str, int]]) -> LockCounts:
        its = self._of_class(number, counts)
        sums = {name: _sum(one[key] for one in its) for name, key in _EVENTS.items()}
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
        most = max(one[f"{metric}_max"] for one in its)
        if least > most:
            raise InputError("the figures of the timed build contradict each other")
        return Series(
            metric=metric,  # type: ignore[arg-type]
            lock=self._classes[number],
            count=_sum(found.values()),
            sum=_sum(one[f"{metric}_sum"] for one in its),
            min=least,
            max=most,
            buckets=sorted(found.items()),
        )

    def _nesting(self, words: Sequence[int]) -> Iterable[Nesting]:
        """Row by row, of the class that is held; the last row is of no class."""
        for held, outer in enumerate(self._classes):
            for acquired, lock in enumerate(self._classes):
                count = _small(words[held * limits.CLASSES + acquired])
                if count:
                    yield Nesting(held=outer, acquired=lock, count=count)


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
