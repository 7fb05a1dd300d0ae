"""The configuration file: below flags and environment, and a bad one gets one clear line."""

import json
import tomllib
from pathlib import Path

import click
import pytest

from z3trace import cli
from z3trace.commands import configuration, everywhere, manual


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.toml"
    monkeypatch.setenv("Z3TRACE_CONFIG", str(path))
    return path


def _taken(monkeypatch: pytest.MonkeyPatch, verb: str, *words: str) -> dict[str, object]:
    """The values that a verb gets."""
    command = cli.cli.get_command(click.Context(cli.cli), verb)
    assert command is not None
    taken: dict[str, object] = {}
    monkeypatch.setattr(command, "callback", lambda **values: taken.update(values) or 0)
    assert cli.run([verb, *words]) == 0
    return taken


def test_flags_over_environment_over_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["-o", "x"]
    file.write_text("")
    assert _taken(monkeypatch, "ab", *words)["runs"] == 40
    file.write_text('[ab]\nruns = 11\nlocks = "hybrid"\nprobe = ["ops", "all"]\n')
    taken = _taken(monkeypatch, "ab", *words)
    assert taken["runs"] == 11
    assert taken["lock_mode"] == "hybrid"
    assert taken["probe_kinds"] == ("ops", "all")
    monkeypatch.setenv("Z3TRACE_AB_RUNS", "12")
    assert _taken(monkeypatch, "ab", *words)["runs"] == 12
    assert _taken(monkeypatch, "ab", *words, "--runs", "13")["runs"] == 13


def test_above_the_tables_is_for_every_verb(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file.write_text("json = true\n")
    assert cli.run(["target", "list"]) == 0
    assert json.loads(capfd.readouterr().out)["targets"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[ab", "is not a configuration of z3trace"),
        ("[nothing]\n", "there is no verb nothing"),
        ("runs = 1\n", "runs stands above all tables"),
        ("[ab]\nnothing = 1\n", "[ab] nothing is no option that can be set here"),
        ("[ab]\nforce = true\n", "[ab] force is no option that can be set here"),
        ("[ab]\nunboxed = true\n", "[ab] unboxed is no option that can be set here"),
        ("[ab]\nruns = 0\n", "[ab] runs: 0 is not in the range"),
        ('[ab]\nlocks = "some"\n', "[ab] locks: 'some' is not one of"),
        ("[ab]\nruns = [1]\n", "[ab] runs takes one value"),
        ("[ab]\nprobe = 1\n", "[ab] probe takes a list"),
        ('[ab]\nquiet = "yes"\n', "[ab] quiet is true or false"),
        ("[ab.x]\ny = 1\n", "[ab] x is no option"),
        ("[ab.runs]\ny = 1\n", "[ab] runs is a table"),
        ("[kernel]\nrelease = 1\n", "[kernel] has no verb release"),
        ("[kernel.fetch]\nnothing = 1\n", "[kernel.fetch] nothing is no option"),
        ("ab = 1\n", "ab stands above all tables"),
        ("a = 2024-01-01\n", "a stands above all tables"),
    ],
)
@pytest.mark.parametrize("words", [["ab", "-o", "x"], ["config"]])
def test_a_bad_file_gets_one_clear_line(
    text: str, said: str, words: list[str], file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if "[kernel" in text and words[0] == "ab":
        words = ["kernel", "list"]
    file.write_text(text)
    assert cli.run(words) == 1
    error = capfd.readouterr().err
    assert error.startswith(f"z3trace: {file}")
    assert said in error
    assert len(error.splitlines()) <= 2


def test_a_file_that_is_named_and_not_there(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["target", "list"]) == 1
    assert f"cannot read {file}" in capfd.readouterr().err


def test_no_file_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("Z3TRACE_CONFIG", "")
    assert cli.run(["target", "list"]) == 0
    assert cli.run(["config", "--init"]) == 2
    assert "there is no file to write" in capfd.readouterr().err


def test_the_place_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("Z3TRACE_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert configuration.path() == tmp_path / "z3trace/config.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert configuration.path() == tmp_path / ".config/z3trace/config.toml"


def test_root_takes_no_options_from_a_file_of_somebody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from z3trace import paths

    monkeypatch.delenv("Z3TRACE_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(paths, "why_untrusted", lambda _: "it is somebody else's")
    (tmp_path / "z3trace").mkdir()
    (tmp_path / "z3trace/config.toml").write_text("quiet = true\n")
    chosen = configuration.path()
    assert chosen is not None
    assert not chosen.is_relative_to(tmp_path)


def test_the_sample_sets_nothing_and_every_line_of_it_can_be_set(
    file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["config", "--init"]) == 0
    text = file.read_text()
    tables = tomllib.loads(text)
    assert not any(
        key for table in tables.values() for key in table if not isinstance(table[key], dict)
    )
    assert cli.run(["config", "--init"]) == 2
    capfd.readouterr()
    assert cli.run(["config"]) == 0
    assert capfd.readouterr().out == f"{file}\n"
    # Without the comment, each line is an option that the reader knows.
    lines = [line.removeprefix("# ") for line in text.splitlines()]
    options = [line for line in lines if " = " in line or line.startswith("[")]
    whole = tomllib.loads("\n".join(line for line in options if not line.startswith("#")))
    for words, command in manual.walk(cli.cli):
        if isinstance(command, click.Group):
            continue
        table = whole[words[0]] if len(words) == 1 else whole[words[0]][words[1]]
        known = {everywhere.name_of(one) for one in everywhere.settable(command)}
        assert set(table) == known - set(everywhere.NAMES)


def test_what_is_set_and_where(
    file: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    file.write_text('[ab]\nruns = 11\n[kernel.fetch]\nsuite = "testing"\n')
    monkeypatch.setenv("Z3TRACE_SHOW_SITES", "1")
    assert cli.run(["config", "--json"]) == 0
    settings = json.loads(capfd.readouterr().out)["settings"]
    assert [tuple(one.values()) for one in settings] == [
        ("show", "sites", "1", "$Z3TRACE_SHOW_SITES"),
        ("ab", "runs", "11", str(file)),
        ("kernel fetch", "suite", "testing", str(file)),
    ]
