"""A session: runs in their order, into files that keep what was recorded."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import samples
from commandline import Ended, z3trace
from msgspec import structs

from z3trace.data import runfile, ways
from z3trace.data.model import HostTime, Run, Session
from z3trace.data.timed import TimedBuild
from z3trace.data.ways import Way
from z3trace.errors import UsageError, Z3traceError
from z3trace.recording import session
from z3trace.recording.schedule import schedule
from z3trace.recording.session import Progress, Wanted
from z3trace.recording.sides import Build, Side


class Recorder:
    """Makes runs up; *fails* is called before each."""

    def __init__(self, label: str, log: list[str], fails: Callable[[int], None]) -> None:
        self._label, self._log, self._fails = label, log, fails
        self.interrupted_at: int | None = None
        #: Order of a run -> ns that the host takes from it.
        self.taken: dict[int, int] = {}
        self.found_late: set[str] = set()
        self.keep_paths = False

    def run(
        self, work: Any, number: int, order: int, seed: int, *, probe: str, clocked: bool
    ) -> Run:
        self._fails(order)
        way = Way("", clocked, probe).name
        self._log.append(f"{self._label}{number} {way} seed {seed}")
        made = samples.run(number, probed=bool(probe), scale=1, seed=seed)
        return structs.replace(
            made,
            order=order,
            probe=probe,
            clocked=clocked,
            interrupted=order == self.interrupted_at,
            duration=1000,
            host=HostTime(delay=self.taken.pop(order, 0)),
        )

    def session(
        self, work: Any, label: str, command: list[str], timed: TimedBuild | None
    ) -> Session:
        return samples.session(label, command=command, schema=5, timed=timed)


class Module:
    def __init__(self, log: list[str]) -> None:
        self._log = log

    def before_run(self) -> None:
        self._log.append("load")

    def after_all(self) -> None:
        self._log.append("unload")


class Workload:
    description = "nothing"


class Sides:
    """Two sides whose files lie in a directory."""

    def __init__(self, directory: Path, *, fails: Callable[[int], None] = lambda _: None) -> None:
        self.log: list[str] = []
        self.progress: list[Progress] = []
        self.said: list[str] = []
        self.warm_up = False
        self.recorders = [Recorder(name, self.log, fails) for name in "ab"]
        self.files = [directory / f"{name}.z3t" for name in "ab"]
        self.sides: list[Any] = [
            Side(name, Build(recorder, Module(self.log)), file, ["z3trace"])  # type: ignore[arg-type]
            for name, recorder, file in zip("ab", self.recorders, self.files, strict=True)
        ]

    def record(self) -> bool:
        work: Any = Workload()
        steps = schedule(2, {ways.ALL: 2, ways.CLOCKED: 2}, warm_up=self.warm_up)
        return session.record(self.sides, work, steps, 100, self.progress.append, self.said.append)


def test_runs_of_both_sides_go_to_their_files_in_order(tmp_path: Path) -> None:
    sides = Sides(tmp_path)
    assert not sides.record()
    runs = [entry for entry in sides.log if "seed" in entry]
    # A pair has the same seed.
    assert runs[:2] == ["a0 all seed 100", "b0 all seed 100"]
    assert runs[2:4] == ["a0 clocked seed 100", "b0 clocked seed 100"]
    assert runs[4:6] == ["b1 clocked seed 101", "a1 clocked seed 101"]
    assert sides.log[0::2][:8] == ["load"] * 8
    assert sides.log[-2:] == ["unload"] * 2
    assert [step.done for step in sides.progress] == list(range(1, 9))
    for label, file in zip("ab", sides.files, strict=True):
        recording = runfile.read(file)
        assert recording.session.label == label
        assert recording.complete
        assert len(recording.runs) == 4


def test_the_first_runs_warm_up_and_are_kept(tmp_path: Path) -> None:
    sides = Sides(tmp_path)
    sides.warm_up = True
    sides.record()
    runs = runfile.read(sides.files[0]).runs
    assert [(run.way, run.unused) for run in runs[:3]] == [
        *(("all", "warm-up"), ("clocked", "warm-up"), ("all", ""))
    ]
    assert sum(run.counts for run in runs) == 4


def test_a_disturbed_run_is_made_again_at_once_with_its_seed(tmp_path: Path) -> None:
    sides = Sides(tmp_path)
    sides.recorders[1].taken = {1: 10**6}
    sides.record()
    runs = [entry for entry in sides.log if "seed" in entry]
    assert runs[1] == runs[2] == "b0 all seed 100"
    assert len(runs) == 9
    kept = runfile.read(sides.files[1]).runs
    assert [(run.order, run.unused) for run in kept[:2]] == [(1, "disturbed"), (2, "")]
    assert sum(run.counts for run in kept) == 4
    assert [step.done for step in sides.progress] == [1, 2, 2, *range(3, 9)]
    assert "1 run: 1 was made again" in sides.said[0]


def test_an_interrupted_run_ends_the_session_and_keeps_it(tmp_path: Path) -> None:
    sides = Sides(tmp_path)
    sides.recorders[1].interrupted_at = 1
    assert sides.record()
    assert [len(runfile.read(file).runs) for file in sides.files] == [1, 1]
    assert runfile.read(sides.files[1]).interrupted
    assert sides.log[-2:] == ["unload"] * 2


def test_ctrl_c_between_runs_keeps_what_there_is(tmp_path: Path) -> None:
    def fails(order: int) -> None:
        if order == 1:
            raise KeyboardInterrupt

    sides = Sides(tmp_path, fails=fails)
    assert sides.record()
    assert runfile.read(sides.files[0]).interrupted
    # Of the other side nothing was recorded.
    assert [file.name for file in tmp_path.iterdir()] == ["a.z3t"]


def test_a_failure_keeps_the_runs_under_a_name_that_says_so(tmp_path: Path) -> None:
    def fails(order: int) -> None:
        if order == 3:
            raise Z3traceError("gone")

    sides = Sides(tmp_path, fails=fails)
    with pytest.raises(Z3traceError, match="gone"):
        sides.record()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.z3t.part", "b.z3t.part"]
    assert [len(runfile.read(tmp_path / f"{n}.z3t.part").runs) for n in "ab"] == [2, 1]
    assert sides.log[-2:] == ["unload"] * 2


def test_what_a_lost_session_left_is_kept_and_told(tmp_path: Path) -> None:
    (tmp_path / "a.z3t.part").write_bytes(b"lost")
    sides = Sides(tmp_path)
    sides.record()
    assert (tmp_path / "a.z3t.part.1").read_bytes() == b"lost"
    assert sides.said == [f"what an earlier run left is kept as {tmp_path}/a.z3t.part.1"]


@pytest.mark.parametrize("what", ["label", "link"])
def test_what_cannot_be_written_is_said_before_the_first_run(tmp_path: Path, what: str) -> None:
    sides = Sides(tmp_path)
    if what == "label":
        sides.sides[1].label = "x" * 600
    else:
        (tmp_path / "b.z3t").symlink_to(tmp_path / "victim")
    with pytest.raises(UsageError):
        sides.record()
    assert not [entry for entry in sides.log if "seed" in entry]
    assert not list(tmp_path.glob("a.z3t*"))


def test_waits_in_slow_paths_are_for_call_sites_only() -> None:
    assert Wanted().choice().slow_paths
    assert not Wanted(lock_mode="function").choice().slow_paths
    assert not Wanted(waits="call-site").choice().slow_paths
    assert Wanted(processors=(0, 2, 2)).choice().processors == 0b101
    assert Wanted(operations=("alloc",)).choice().only_inside


def test_the_rest_takes_as_long_as_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session.time, "monotonic", lambda: 110.0)
    assert session.remaining(100.0, 2, 10) == 40.0


def _record(*words: str | Path) -> Ended:
    return z3trace("record", *words, "--", "true")


@pytest.mark.parametrize("kind", ["device", "pipe", "link"])
def test_the_command_replaces_nothing_but_a_plain_file(tmp_path: Path, kind: str) -> None:
    path = Path("/dev/null") if kind == "device" else tmp_path / "x.z3t"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(tmp_path / "victim")
    result = _record("-o", path, "--force")
    assert result.returncode == 2, result.stderr
    assert "only a plain file is replaced" in result.stderr


def test_the_command_says_before_anything_runs_what_no_recording_can_hold(tmp_path: Path) -> None:
    result = _record("-o", tmp_path / "x.z3t", "--label", "x" * 600)
    assert result.returncode == 2, result.stderr
    assert "a label has at most 512 characters" in result.stderr
