"""What a comparison needs of a recording, taken run by run: memory does not grow with
the runs' histograms.

A *row* is one number of one run; the run is the unit of everything that follows.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from msgspec import structs

from z3trace.analysis.figures import boots, bounds, metrics, parts, ways
from z3trace.analysis.figures.histogram import CELLS, Floats
from z3trace.analysis.figures.run import AT, Key, Known, Row, figures_of, measure, workload
from z3trace.analysis.figures.runfacts import RunFacts, facts_of
from z3trace.analysis.figures.totals import SiteTotals, Totals
from z3trace.analysis.figures.ways import Choice, Subject
from z3trace.data import lines, runfile
from z3trace.data.buckets import BUCKETS
from z3trace.data.model import CallSite, Recording, Run, Session
from z3trace.errors import IncomparableError
from z3trace.words import amount

_LEAST_CORRECTED = 20  # ns: no correction is better than this
#: Above this share of lost events no verdict stands on the rest.
LOSS_LIMIT = 0.001


def subject(key: Key) -> Subject:
    """What a figure is of, whatever its statistic."""
    return Subject(key.metric, key.operation or key.lock)


class Digest:
    """A recording as its session, facts of its runs, and their figures.

    *size*: of its file in bytes, which bounds what may be taken in, see ``bounds``.
    *failed*: runs whose workload failed count too.

    Every figure is kept in each way that it was seen in.  ``rows`` and all that sums over
    runs take it from one: the best there is, or the one that ``by`` was told.
    """

    def __init__(
        self, path: str, session: Session, size: int | None = None, *, failed: bool = False
    ) -> None:
        self.path = path
        self._failed = failed
        self.session = session
        self.complete = False
        self.interrupted = False
        #: What the workload said in the first run in which it failed.
        self.said = ""
        self.runs: list[RunFacts] = []
        self.keys: list[Key] = []
        self._met: set[str] = set()
        self._ways: list[str] = []
        self._numbers: dict[tuple[Key, str], int] = {}
        self._key, self._run = array("I"), array("I")
        self._value, self._resolution = array("d"), array("d")
        self._totals: dict[str, Totals] = {}
        self._inside: dict[tuple[str, str, str], array[float]] = {}
        #: How many boots the runs are of, and of which each run is.
        self.boots = 1
        self._boot = array("I")
        self._bounds = bounds.Bounds(path, size)
        self._known = Known.of(session)
        self.choice: Choice = {}

    def add(self, run: Run) -> None:
        """Take a run in; one that does not count is a fact without figures.

        InputError if there is more in it than a recording has.
        """
        self._bounds.take(run)
        facts = self._facts(run)
        index = len(self.runs)
        self.runs.append(facts)
        self._boot.append(self.boots)
        for cached in ("_seen", "_best", "longest_latency"):
            self.__dict__.pop(cached, None)
        if not facts.counts:
            return
        self._met.add(facts.way)
        self._bounds.hold(bounds.WAYS, len(self._met))
        if facts.way == "none":
            for row in workload(run):
                self._take(index, "none", row)
        seen = list(parts.of(run))
        for part in seen:
            measured = measure(part.series)
            self._totals.setdefault(part.way, Totals()).add(part, measured, self._known.sites)
            self._hold()
            for row in figures_of(part, measured, self._known):
                self._take(index, part.way, row)
        if run.timed and run.probed:
            for metric, lock, added in parts.inside(seen[0], seen[1]):
                self._inside.setdefault((run.way, metric, lock), array("d")).append(added)
        self._bounds.hold(bounds.NUMBERS, len(self._value))

    def next_boot(self, path: str, session: Session) -> None:
        """The runs that follow were made in another boot, recorded in *path*;
        IncomparableError if that was no boot of the same side."""
        boots.must_be_one(path, self.session, session)
        self.boots += 1
        self._known = Known.of(session)

    def _facts(self, run: Run) -> RunFacts:
        """A run without its figures; one that failed does not count unless it is to."""
        facts = facts_of(run)
        if not facts.failed:
            return facts
        self.said = self.said or run.result.output
        unused = facts.unused if self._failed or not facts.counts else "failed"
        return replace(facts, unused=unused)

    def _take(self, index: int, way: str, row: Row) -> None:
        key, value, resolution = row
        number = self._numbers.get((key, way))
        if number is None:
            number = self._numbers[key, way] = len(self.keys)
            self.keys.append(key)
            self._ways.append(way)
            self._bounds.hold(bounds.METRICS, len(self.keys))
        self._key.append(number)
        self._run.append(index)
        self._value.append(value)
        self._resolution.append(resolution)

    def _hold(self) -> None:
        """Sums and curves within their bounds."""
        totals = self._totals.values()
        self._bounds.hold(bounds.SERIES, sum(len(each.counts) for each in totals))
        curves = sum(len(row) for each in totals for row in each.curves.values())
        self._bounds.hold(bounds.CURVES, curves // AT.size)

    @property
    def ways(self) -> list[str]:
        """The ways of the runs that count, in the order of a report."""
        return ways.order(self._met)

    @property
    def seen_ways(self) -> list[str]:
        """The ways that there are figures of."""
        return ways.order(set(self._ways))

    @property
    def kind(self) -> str:
        """The way that call sites and nesting are taken from: all probes, or those that
        see most of what there are."""
        known = self.ways
        most = [way for way in known if way in ("all", "locks") or ways.one_class(way)]
        fallback = ("ops", "timed", *known)
        return next((way for way in (*most[::-1], *fallback) if way in known), "all")

    @property
    def has_locks(self) -> bool:
        """Whether any of its runs were to see locks at their call sites."""
        sees = any(way in ("all", "locks") or ways.one_class(way) for way in self.ways)
        return self.session.lock_mode != "none" and (sees or not self.ways)

    def unseen(self) -> list[CallSite]:
        """The lock call sites that carry no probe."""
        return [site for site in self.session.sites if not site.attached]

    def unseen_functions(self) -> str:
        """The functions that these are in, in words."""
        return ", ".join(sorted({site.function for site in self.unseen()}))

    @property
    def least_corrected(self) -> float:
        """ns; a corrected figure below this is as good as 0.  NaN without a calibration."""
        calibration = self.session.calibration
        return max(calibration.spread, _LEAST_CORRECTED) if calibration else float("nan")

    def of_way(self, way: str) -> list[RunFacts]:
        """The runs of a way that count."""
        return [run for run in self.runs if run.way == way and run.counts]

    def probed(self) -> list[RunFacts]:
        return self.of_way(self.kind)

    def unprobed(self) -> list[RunFacts]:
        return self.of_way("none")

    def by(self, choice: Choice) -> "Digest":
        """The same recording, its figures taken as *choice* says."""
        told = copy(self)
        told.choice = choice
        told.__dict__.pop("longest_latency", None)
        return told

    def named(self, label: str) -> "Digest":
        """The same recording under another label."""
        if label == self.session.label:
            return self
        told = copy(self)
        told.session = structs.replace(self.session, label=label)
        return told

    def content(self) -> tuple[object, ...]:
        """Everything that is known of it but its label and its path: equal in two digests of
        one recording."""
        figures = (self.keys, self._ways, self._key, self._run, self._value)
        return structs.replace(self.session, label=""), self.runs, *figures

    def subjects(self) -> list[Subject]:
        """Everything that there are figures or histograms of, in any way."""
        known = [subject(key) for key in self.keys]
        known += [Subject(*name) for each in self._totals.values() for name in each.counts]
        return list(dict.fromkeys(known))

    def runs_of(self, of: Subject, way: str) -> int:
        """How many runs of a way (or boots with such) there are with figures of a subject."""
        return self.units(way) if (of, way) in self._seen else 0

    def units(self, way: str) -> int:
        """How many independent values a figure of a way has: of runs, or of boots."""
        if self.boots == 1:
            return len(self.of_way(way))
        there = zip(self.runs, self._boot, strict=True)
        return len({boot for run, boot in there if run.way == way and run.counts})

    @cached_property
    def _seen(self) -> set[tuple[Subject, str]]:
        seen = {(subject(key), way) for key, way in zip(self.keys, self._ways, strict=True)}
        return seen | {
            (Subject(*name), way) for way, each in self._totals.items() for name in each.counts
        }

    def failures(self) -> tuple[int, int]:
        """(runs whose workload failed, all runs)."""
        return sum(run.failed for run in self.runs), len(self.runs)

    def require_runs(self) -> None:
        """IncomparableError if there is nothing in it that counts."""
        if self.keys:
            return
        failed, every = self.failures()
        if failed:
            raise IncomparableError(
                f"{self.path} has no run that counts: the workload failed in "
                f"{amount(failed, 'run')} of {every}",
                "'show' prints what it said; --allow-failed counts such runs all the same",
            )
        if any(run.counts for run in self.runs):
            raise IncomparableError(f"{self.path} has no figures: nothing was recorded in its runs")
        raise IncomparableError(f"{self.path} has no whole run that counts")

    def damaged(self, way: str) -> bool:
        """Whether so much was lost in the runs of a way that no verdict stands on the rest."""
        lost, seen = self.loss(way)
        return lost > LOSS_LIMIT * max(seen, 1)

    @cached_property
    def _best(self) -> Choice:
        """The best way of each subject that this recording has."""
        return ways.choose(self.subjects(), [self.runs_of], 1, self.damaged)

    def way(self, of: Subject) -> str:
        """The way that figures of a subject are taken from; empty if there are none."""
        return self.choice.get(of) or self._best.get(of, "")

    def rows(self) -> "list[tuple[Key, np.ndarray[tuple[int], np.dtype[np.int64]], Floats, float]]":
        """(key, numbers of runs, values, mean resolution) of every figure, in the order in
        which the keys appeared; each from one way."""
        return self._rows(lambda key, way: way == self.way(subject(key)))

    def rows_of(self, way: str) -> dict[Key, tuple[Floats, float]]:
        """Key -> (values, mean resolution) of all figures that were seen in one way."""
        return {
            key: (values, spread)
            for key, _, values, spread in self._rows(lambda _, seen: seen == way)
        }

    def _rows(
        self, wanted: Callable[[Key, str], bool]
    ) -> "list[tuple[Key, np.ndarray[tuple[int], np.dtype[np.int64]], Floats, float]]":
        if not self._key:
            return []
        keys, runs = np.array(self._key), np.array(self._run, dtype=np.int64)
        values, resolutions = np.array(self._value), np.array(self._resolution)
        order = np.argsort(keys, kind="stable")
        limits = np.searchsorted(keys[order], np.arange(len(self.keys) + 1))
        rows = []
        for number, (key, way) in enumerate(zip(self.keys, self._ways, strict=True)):
            if wanted(key, way):
                chosen = order[limits[number] : limits[number + 1]]
                spread = float(resolutions[chosen].mean())
                rows.append((key, *self._by_unit(runs[chosen], values[chosen]), spread))
        return rows

    def _by_unit(
        self, runs: "np.ndarray[tuple[int], np.dtype[np.int64]]", values: Floats
    ) -> "tuple[np.ndarray[tuple[int], np.dtype[np.int64]], Floats]":
        """The values of runs as they are, or of each boot the median and its first run."""
        if self.boots == 1:
            return runs, values
        first, medians = boots.medians(np.array(self._boot, dtype=np.int64)[runs], values)
        return runs[first], medians

    def inside(self, way: str, metric: str, lock: str) -> Floats:
        """ns that the probes add to each wait or hold above 0 that they show, in each run
        of a timed build under probes; see ``parts.inside``."""
        return np.array(self._inside.get((way, metric, lock), array("d")))

    def totals(self, way: str) -> Totals:
        """Sums over the runs of a way."""
        return self._totals.get(way, Totals())

    def counts(self, metric: str, name: str) -> Floats:
        """Bucket counts of one series over the runs it comes from, shape (976,)."""
        counts = self.totals(self.way(Subject(metric, name))).counts.get((metric, name))
        return np.zeros(BUCKETS) if counts is None else counts

    def total(self, metric: str, name: str) -> int:
        """Sum of all values of one series, in its unit."""
        return self.totals(self.way(Subject(metric, name))).sums[metric, name]

    def histograms(self) -> "Iterator[tuple[str, str, Floats]]":
        """(metric, operation or lock class, bucket counts) of everything recorded, in the
        order of metrics."""
        named = {name for each in self._totals.values() for name in each.counts}
        order = [of for of in self.subjects() if (of.metric, of.name) in named]
        for metric, name in sorted(order, key=lambda of: metrics.ORDER[of.metric]):
            counts = self.counts(metric, name)
            if counts.any():
                yield metric, name, counts

    @cached_property
    def longest_latency(self) -> float:
        """ns: the largest mean latency of an operation; NaN if there is none."""
        return max(
            (
                self.total(metric, name) / float(counts.sum())
                for metric, name, counts in self.histograms()
                if metric == "latency"
            ),
            default=float("nan"),
        )

    def curves(self, operation: str) -> Floats:
        """Latency quantiles at ``run.AT`` of each run or boot, shape (units, 25), ns."""
        way = self.way(Subject("latency", operation))
        curves = np.array(self.totals(way).curves.get(operation, array("d"))).reshape(-1, AT.size)
        there = [i for i, run in enumerate(self.runs) if run.way == way and run.counts]
        if self.boots == 1 or len(there) != len(curves):
            return curves
        return self._by_unit(np.array(there, dtype=np.int64), curves)[1]

    def cells(self, operation: str) -> "npt.NDArray[np.float32]":
        """Latency counts of each run by ``histogram.CELLS``, shape (runs, CELLS)."""
        way = self.way(Subject("latency", operation))
        cells = self.totals(way).cells.get(operation, array("f"))
        return np.array(cells, dtype=np.float32).reshape(-1, CELLS)

    def site(self, number: int) -> SiteTotals:
        """A call site by all probes, or by those of its lock class."""
        for way in (self.kind, *self.ways):
            if number in self.totals(way).sites:
                return self.totals(way).sites[number]
        return SiteTotals()

    def operation(self, name: str) -> tuple[int, int, int]:
        """(entries, returns, failures) of an operation, as probes saw it."""
        for way in ("ops", self.kind):
            if name in self.totals(way).operations:
                sums = self.totals(way).operations[name]
                return sums["entries"], sums["returns"], sums["failures"]
        return 0, 0, 0

    def lock(self, name: str) -> tuple[int, int, int, int]:
        """(acquisitions, contended, failed trylocks, releases) of a lock class."""
        way = self.way(Subject("hold", name)) or self.way(Subject("wait", name)) or self.kind
        sums = self.totals(way).locks.get(name, Counter())
        return (
            sums["acquisitions"],
            sums["contended"],
            sums["trylock_failures"],
            sums["releases"],
        )

    def nesting(self) -> dict[tuple[str, str], int]:
        """(class held, class acquired) -> how often, by all probes or by a timed build."""
        return (
            self.totals("all").nesting
            or self.totals("timed").nesting
            or self.totals(self.kind).nesting
        )

    def ledger(self) -> dict[str, int | None]:
        """Every entry of the ledger, summed over the runs of ``kind``; None if it is
        unknown in any."""
        return self.totals(self.kind).ledger

    def loss(self, way: str | None = None) -> tuple[int, int]:
        """(events lost, events seen) in the runs of a way, or in all that count."""
        runs = [run for run in self.runs if run.counts and way in (None, run.way)]
        return sum(run.lost for run in runs), sum(run.seen for run in runs)

    @classmethod
    def of(cls, recording: Recording, *, failed: bool = False) -> "Digest":
        """The digest of a recording in memory."""
        digest = cls(recording.path, recording.session, failed=failed)
        for run in recording.runs:
            digest.add(run)
        digest.complete, digest.interrupted = recording.complete, recording.interrupted
        return digest

    @classmethod
    def read(cls, path: Path, *, failed: bool = False) -> "Digest":
        """Read a file run by run; InputError if it is not a recording."""
        stream = runfile.Stream(path)
        digest = cls(str(path), stream.session, lines.size(path), failed=failed)
        for run in stream:
            digest.add(run)
        digest.complete, digest.interrupted = stream.complete, stream.interrupted
        return digest

    @classmethod
    def of_boots(cls, paths: Sequence[Path]) -> "Digest":
        """The recordings of several boots of one side as one, of which the boot is the unit;
        IncomparableError if they are not of one side."""
        first, *others = paths
        digest = cls.read(first)
        for path in others:
            stream = runfile.Stream(path)
            digest.next_boot(str(path), stream.session)
            for run in stream:
                digest.add(run)
            digest.complete = digest.complete and stream.complete
            digest.interrupted = digest.interrupted or stream.interrupted
        return digest
