"""The thread that writes evidence: every incident is on disk, in order, to the end."""

import threading
import time
from pathlib import Path
from typing import Any

import checksamples
import pytest

from z3trace.checking.run import _Evidence
from z3trace.data import checkfile
from z3trace.data.checkfile import Header, Incident, Progress


class Checker:
    """Finds what the test puts into it; itself its findings."""

    def __init__(self) -> None:
        self.waiting: list[Incident] = []
        self.looks = 0
        self.counts = 0
        self.error: Exception | None = None
        self._lock = threading.Lock()

    @property
    def findings(self) -> "Checker":
        return self

    def find(self, number: int) -> None:
        with self._lock:
            self.waiting.append(checksamples.incident("long-hold", 0, time=number))

    def new_incidents(self, header: Header) -> list[Incident]:
        if self.error:
            raise self.error
        with self._lock:
            new, self.waiting = self.waiting, []
        self.looks += 1
        return new

    def progress(self) -> Progress:
        self.counts += 1
        return checksamples.progress(elapsed=self.counts)


@pytest.fixture
def parts(tmp_path: Path) -> tuple[Checker, checkfile.Writer, Path]:
    path = tmp_path / "check.z3c"
    return Checker(), checkfile.Writer(path), path


def _times(path: Path) -> list[int]:
    return [incident.time for incident in checkfile.read(path).incidents]


def _wait(condition: Any) -> None:
    until = time.monotonic() + 10
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    assert condition()


def test_every_incident_is_on_disk_before_the_next_look(parts: Any) -> None:
    checker, writer, path = parts
    evidence = _Evidence(checker, writer)
    evidence.begin(checksamples.header())
    for number in range(1, 6):
        checker.find(number)
        looks = checker.looks
        _wait(lambda looks=looks: checker.looks > looks + 1)
        assert _times(path) == list(range(1, number + 1))
    evidence.end()
    writer.finish()
    assert _times(path) == [1, 2, 3, 4, 5]


def test_what_is_found_after_the_last_look_is_written_too(parts: Any) -> None:
    checker, writer, path = parts
    evidence = _Evidence(checker, writer)
    evidence.begin(checksamples.header())
    evidence._over.set()
    evidence.join()
    for number in (1, 2, 3):
        checker.find(number)
    evidence.end()
    assert _times(path) == [1, 2, 3]
    # The last counts are those after the probes are gone.
    progress = checkfile.read(path).progress
    assert progress is not None
    assert progress.elapsed == checker.counts


def test_counts_come_often_in_the_beginning(parts: Any) -> None:
    checker, writer, _ = parts
    evidence = _Evidence(checker, writer)
    evidence.begin(checksamples.header())
    assert checker.counts == 1
    _wait(lambda: checker.looks >= 9)
    evidence.end()
    # One at the beginning, one every four looks, one at the end.
    assert checker.counts >= 4


def test_an_error_while_the_workload_runs_is_not_lost(parts: Any) -> None:
    checker, writer, _ = parts
    evidence = _Evidence(checker, writer)
    evidence.begin(checksamples.header())
    checker.error = OSError("no space left")
    _wait(lambda: not evidence.is_alive())
    with pytest.raises(OSError, match="no space left"):
        evidence.end()


def test_a_check_that_never_began_leaves_no_file(parts: Any, tmp_path: Path) -> None:
    checker, writer, _ = parts
    _Evidence(checker, writer).end()
    assert list(tmp_path.iterdir()) == []
    assert checker.looks == 0
