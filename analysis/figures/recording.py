"""What a comparison needs of a recording, taken run by run: memory does not grow with
the runs' histograms.

A *row* is one number of one run; the run is the unit of everything that follows.
"""

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from z3trace.analysis.figures import bounds, metrics
from z3trace.analysis.figures.histogram import CELLS, Floats
from z3trace.analysis.figures.run import AT, Key, figures_of, measure
from z3trace.analysis.figures.totals import SiteTotals, Totals
from z3trace.data import runfile
from z3trace.data.buckets import BUCKETS
from z3trace.data.model import CallSite, Recording, Run, Session

_LEAST_CORRECTED = 20  # ns: no correction is better than this


@dataclass(frozen=True)
class RunFacts:
    """One run without its figures.  *probe*: ``none``, ``ops``, ``locks`` or ``all``."""

    number: int
    seed: int
    started: str
    probe: str
    interrupted: bool
    status: int
    elapsed: int
    calls: int
    lost: int
    seen: int


def _facts(run: Run) -> RunFacts:
    calls = sum(truth.calls for truth in run.result.operations)
    lost = run.ledger.lost() if run.ledger else 0
    seen = sum(c.returns for c in run.operations) + sum(c.releases for c in run.locks)
    result = run.result
    return RunFacts(
        *(run.number, run.seed, run.started, run.way, run.interrupted),
        *(result.status, result.elapsed, calls, lost, seen),
    )


class Digest:
    """A recording as its session, facts of its runs, and their figures.

    *size*: of its file in bytes, which bounds what may be taken in, see ``bounds``.
    """

    def __init__(self, path: str, session: Session, size: int | None = None) -> None:
        self.path = path
        self.session = session
        self.complete = False
        self.interrupted = False
        self.runs: list[RunFacts] = []
        self.keys: list[Key] = []
        self._numbers: dict[Key, int] = {}
        self._key, self._run = array("I"), array("I")
        self._value, self._resolution = array("d"), array("d")
        self._totals: dict[str, Totals] = {}
        self._bounds = bounds.Bounds(path, size)
        self._sites = {site.number: site for site in session.sites}

    def add(self, run: Run) -> None:
        """Take a run in; an interrupted one is a fact without figures.

        InputError if there is more in it than a recording has.
        """
        self._bounds.take(run)
        facts = _facts(run)
        index = len(self.runs)
        self.runs.append(facts)
        if facts.interrupted:
            return
        measured = measure(run)
        if facts.probe != "none":
            self._totals.setdefault(facts.probe, Totals()).add(run, measured, self._sites)
            self._hold()
        for key, value, resolution in figures_of(run, measured, self._sites, self.session.schema):
            number = self._numbers.get(key)
            if number is None:
                number = self._numbers[key] = len(self.keys)
                self.keys.append(key)
                self._bounds.hold(bounds.METRICS, len(self.keys))
            self._key.append(number)
            self._run.append(index)
            self._value.append(value)
            self._resolution.append(resolution)
        self._bounds.hold(bounds.NUMBERS, len(self._value))

    def _hold(self) -> None:
        """Sums and curves within their bounds."""
        totals = self._totals.values()
        self._bounds.hold(bounds.SERIES, sum(len(each.counts) for each in totals))
        curves = sum(len(row) for each in totals for row in each.curves.values())
        self._bounds.hold(bounds.CURVES, curves // AT.size)

    @property
    def kind(self) -> str:
        """The kind of probes that figures come from: all, or the only kind there is."""
        kinds = [run.probe for run in self.runs if run.probe != "none" and not run.interrupted]
        return "all" if "all" in kinds or not kinds else kinds[0]

    @property
    def has_locks(self) -> bool:
        """Whether any of its runs were to see locks."""
        return self.session.lock_mode != "none" and self.kind != "ops"

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

    @property
    def latency_kind(self) -> str:
        """Latencies come from runs without probes on locks, if there are any: their
        operations were disturbed least."""
        return "ops" if self.with_probe("ops") else self.kind

    def with_probe(self, kind: str) -> list[RunFacts]:
        """The whole runs with one kind of probes, or ``none``."""
        return [run for run in self.runs if run.probe == kind and not run.interrupted]

    def probed(self) -> list[RunFacts]:
        return self.with_probe(self.kind)

    def unprobed(self) -> list[RunFacts]:
        return self.with_probe("none")

    def _source(self, metric: str) -> str:
        runs = metrics.BY_NAME[metric].runs
        if runs == "unprobed":
            return "none"
        return self.latency_kind if runs == "latency" else self.kind

    def rows(self) -> "list[tuple[Key, np.ndarray[tuple[int], np.dtype[np.int64]], Floats, float]]":
        """(key, numbers of runs, values, mean resolution) of every figure, in the order in
        which the keys appeared; from the kind of runs that the figure is taken from."""
        if not self.runs:
            return []
        kinds = np.array([run.probe for run in self.runs])
        keys, runs = np.array(self._key), np.array(self._run, dtype=np.int64)
        values, resolutions = np.array(self._value), np.array(self._resolution)
        order = np.argsort(keys, kind="stable")
        limits = np.searchsorted(keys[order], np.arange(len(self.keys) + 1))
        rows = []
        for number, key in enumerate(self.keys):
            chosen = order[limits[number] : limits[number + 1]]
            chosen = chosen[kinds[runs[chosen]] == self._source(key.metric)]
            if chosen.size:
                spread = float(resolutions[chosen].mean())
                rows.append((key, runs[chosen], values[chosen], spread))
        return rows

    def _of(self, kind: str) -> Totals:
        return self._totals.get(kind, Totals())

    def counts(self, metric: str, name: str) -> Floats:
        """Bucket counts of one series over the runs it comes from, shape (976,)."""
        counts = self._of(self._source(metric)).counts.get((metric, name))
        return np.zeros(BUCKETS) if counts is None else counts

    def total(self, metric: str, name: str) -> int:
        """Sum of all values of one series, in its unit."""
        return self._of(self._source(metric)).sums[metric, name]

    def histograms(self) -> "Iterator[tuple[str, str, Floats]]":
        """(metric, operation or lock class, bucket counts) of everything recorded."""
        for kind, totals in self._totals.items():
            for (metric, name), counts in totals.counts.items():
                if kind == self._source(metric):
                    yield metric, name, counts

    def curves(self, operation: str) -> Floats:
        """Latency quantiles at ``run.AT`` of each run, shape (runs, 25), ns."""
        curves = self._of(self.latency_kind).curves.get(operation, array("d"))
        return np.array(curves).reshape(-1, AT.size)

    def cells(self, operation: str) -> "npt.NDArray[np.float32]":
        """Latency counts of each run by ``histogram.CELLS``, shape (runs, CELLS)."""
        cells = self._of(self.latency_kind).cells.get(operation, array("f"))
        return np.array(cells, dtype=np.float32).reshape(-1, CELLS)

    def site(self, number: int) -> SiteTotals:
        return self._of(self.kind).sites.get(number, SiteTotals())

    def operation(self, name: str) -> tuple[int, int, int]:
        """(entries, returns, failures) of an operation."""
        sums = self._of(self.latency_kind).operations.get(name, Counter())
        return sums["entries"], sums["returns"], sums["failures"]

    def lock(self, name: str) -> tuple[int, int, int, int]:
        """(acquisitions, contended, failed trylocks, releases) of a lock class."""
        sums = self._of(self.kind).locks.get(name, Counter())
        return (
            sums["acquisitions"],
            sums["contended"],
            sums["trylock_failures"],
            sums["releases"],
        )

    def nesting(self) -> dict[tuple[str, str], int]:
        """(class held, class acquired) -> how often."""
        return self._of(self.kind).nesting

    def ledger(self) -> dict[str, int | None]:
        """Every entry of the ledger, summed; None if it is unknown in any run."""
        return self._of(self.kind).ledger

    def loss(self) -> tuple[int, int]:
        """(events lost, events seen)."""
        runs = self.probed()
        return sum(run.lost for run in runs), sum(run.seen for run in runs)

    @classmethod
    def of(cls, recording: Recording) -> "Digest":
        """The digest of a recording in memory."""
        digest = cls(recording.path, recording.session)
        for run in recording.runs:
            digest.add(run)
        digest.complete, digest.interrupted = recording.complete, recording.interrupted
        return digest

    @classmethod
    def read(cls, path: Path) -> "Digest":
        """Read a file run by run; InputError if it is not a recording."""
        stream = runfile.Stream(path)
        digest = cls(str(path), stream.session, path.stat().st_size)
        for run in stream:
            digest.add(run)
        digest.complete, digest.interrupted = stream.complete, stream.interrupted
        return digest
