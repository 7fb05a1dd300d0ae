"""No environment ends in a traceback; the whole walk is part of ``make fuzz``."""

from pathlib import Path

import environments
import pytest
from environments import Surroundings
from samples import recording, write

from z3trace import cli
from z3trace.errors import FAILED


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("environments")
    write(directory / "before.z3t", recording("before"))
    write(directory / "after.z3t", recording("after", scale=0.8))
    return directory


def test_a_recording_is_shown_in_every_environment(place: Path) -> None:
    lines = [["show", "--histograms", "before.z3t"], ["trend", "none"]]
    around = environments.surroundings(place)
    assert list(environments.walk(lines, around, place, modules=())) == []


@pytest.mark.parametrize("around", ["latin-1", "no PATH", "HOME is a file"])
def test_every_verb_in_an_odd_environment(place: Path, around: str) -> None:
    lines = environments.command_lines(place, (place / "before.z3t", place / "after.z3t"))
    chosen = [each for each in environments.surroundings(place) if each.name == around]
    assert list(environments.walk(lines, chosen, place)) == []


@pytest.mark.parametrize(
    ("never", "lines", "said"),
    [
        ("Usage: z3trace", [["--help"]], "--help"),
        ("no such file", [["--help"], ["show", "none.z3t"]], "show none.z3t"),
    ],
)
def test_the_walk_sees_a_fault(
    never: str, lines: list[list[str]], said: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "NEVER", tuple({never, never.capitalize()}))
    (fault,) = environments.walk(lines, [Surroundings("as usual")], place, modules=())
    assert said in fault


def test_the_walk_sees_what_does_not_start_or_end(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = Surroundings("nowhere", first="exit 7")
    (fault,) = environments.walk([["--help"]], [nowhere], place, modules=())
    assert fault.startswith("(nowhere) 1 of 1") or "0 of 1" in fault or "ends with 7" in fault
    monkeypatch.setattr(environments, "_SECONDS", 0.01)
    (fault,) = environments.walk([["--help"]], [Surroundings("as usual")], place, modules=())
    assert fault.endswith("hangs")


def test_the_streams_are_what_they_are_said_to_be(place: Path) -> None:
    """Else the walk would walk nowhere."""
    full = next(each for each in environments.surroundings(place) if each.name == "stdout full")
    (ended,) = environments.started([["show", "before.z3t"]], full, place)
    assert (ended.code, ended.said) == (FAILED, "z3trace: No space left on device\n")
    gone = next(each for each in environments.surroundings(place) if each.stdout == "gone")
    (ended,) = environments.started([["show", "before.z3t"]], gone, place)
    assert ended.said == ""


def test_what_nobody_thought_of_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("odd\x1b[2J\nnews")

    monkeypatch.setattr(cli.cli, "main", broken)
    assert cli.run(["show"]) == FAILED
    first, hint = capsys.readouterr().err.splitlines()
    assert first.startswith("z3trace: a bug of z3trace: RuntimeError at test_environments.py:")
    assert first.endswith("odd\\x1b[2J news")
    assert "Z3TRACE_DEBUG=1" in hint
    monkeypatch.setenv("Z3TRACE_DEBUG", "1")
    cli.run(["show"])
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device", "out.csv"), "out.csv: No space left on device"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (OSError("odd"), "odd"),
        (OSError(), "OSError"),
        (FileNotFoundError(2, "No such file or directory", b"\xff\x1b"), "\\udcff\\x1b: No such"),
    ],
)
def test_what_the_machine_refuses_is_said_without_its_number(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: OSError, said: str
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(cli.cli, "main", refused)
    monkeypatch.setattr(cli, "_leave_quietly", lambda: None)
    assert cli.run(["show"]) == FAILED
    line = capfd.readouterr().err
    assert line.startswith(f"z3trace: {said}")
    assert "Errno" not in line
