"""What all verbs have alike: how they speak, to people and to scripts."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import jsonschema
import pytest
from checksamples import broken
from samples import recording, write

from z3trace import cli, errors
from z3trace.analysis.checks import judgement
from z3trace.analysis.comparing.comparison import compare
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.report import reviewjson
from z3trace.analysis.report.review import Review
from z3trace.commands import verbs

SCHEMAS = Path(__file__).parents[3] / "docs/schemas"


def _verbs() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(cli.cli)
    for name in verbs.VERBS:
        command = cli.cli.get_command(context, name)
        if isinstance(command, click.Group):
            yield from ((f"{name}-{each}", one) for each, one in command.commands.items())
        elif command:
            yield name, command


VERBS = dict(_verbs())


def _fits(verb: str, text: str) -> dict[str, object]:
    """The document, after its schema was held against it."""
    document: dict[str, object] = json.loads(text)
    jsonschema.validate(document, json.loads((SCHEMAS / f"{verb}.json").read_text()))
    return document


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    before = write(tmp_path / "b.z3t", recording("b"))
    return before, write(tmp_path / "a.z3t", recording("a", scale=1.5, seed=2))


@pytest.mark.parametrize("verb", VERBS)
def test_the_common_options_are_the_same_in_every_verb(verb: str) -> None:
    said = {
        name: one.help
        for one in VERBS[verb].params
        if isinstance(one, click.Option)
        for name in one.opts
    }
    for name in ("--json", "-q", "--quiet", "-v", "--verbose"):
        assert (
            said[name]
            == {
                n: o.help
                for o in VERBS["show"].params
                if isinstance(o, click.Option)
                for n in o.opts
            }[name]
        )
    if "--force" in said:
        assert said["--force"] == "Overwrite existing output."
    writes = {"-o", "--plot", "--report", "--init"} & set(said)
    assert bool(writes) == ("--force" in said)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_schema(verb: str) -> None:
    schema = json.loads((SCHEMAS / f"{verb}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)


def test_the_schemas_are_those_of_the_types() -> None:
    import importlib.util

    spec = importlib.util.spec_from_file_location("schemas", SCHEMAS.with_suffix(".py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = {f"{name}.json": module.text(schema) for name, schema in module.schemas().items()}
    assert made == {path.name: path.read_text() for path in SCHEMAS.iterdir()}, "make schemas"


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["show", "none.z3t"], 1, "cannot read none.z3t"),
        (["show", "--nothing"], 2, "No such option"),
        (["nothing"], 2, "No such command"),
        (["record", "-o", "x.z3t"], 2, "give one of"),
        (["compare", "one.z3t"], 2, "one recording cannot be compared"),
        (["kernel", "fetch", "../../etc"], 2, "not a kernel release"),
        (["export", "x.z3t", "-o", "-", "--format", "csv"], 2, "both want standard output"),
    ],
)
def test_an_error_is_the_document(
    words: list[str], status: int, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([*words, "--json"]) == status
    out, err = capfd.readouterr()
    document = _fits("error", out)
    assert said in str(document["error"])
    assert document["status"] == status
    assert said in err


def test_a_word_of_the_command_is_not_an_option(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["record", "-o", "x.z3t", "--target", "nothing", "--", "echo", "--json"]) == 2
    assert capfd.readouterr().out == ""


def test_a_bug_is_a_document_too(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from z3trace.target import definition

    monkeypatch.setattr(definition, "shipped", lambda: 1 / 0)
    assert cli.run(["target", "list", "--json"]) == 1
    assert "ZeroDivisionError" in str(_fits("error", capfd.readouterr().out)["error"])


def test_targets_and_variants(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["target", "list", "--json"]) == 0
    targets = _fits("target-list", capfd.readouterr().out)["targets"]
    assert isinstance(targets, list)
    z3fold = next(one for one in targets if one["name"] == "z3fold")
    assert {"alloc", "free"} <= set(z3fold["operations"])
    assert "page" in z3fold["locks"]
    assert cli.run(["kernel", "build", "--variants", "--json"]) == 0
    assert "pool-lock" in str(_fits("kernel-build", capfd.readouterr().out)["variants"])


def test_kernels_in_an_empty_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "cache"))
    assert cli.run(["kernel", "list", "--json"]) == 0
    assert _fits("kernel-list", capfd.readouterr().out) == {"kernels": []}


def test_doctor(capfd: pytest.CaptureFixture[str]) -> None:
    status = cli.run(["doctor", "--json"])
    document = _fits("doctor" if status in (0, 4) else "error", capfd.readouterr().out)
    if status in (0, 4):
        assert document["can_record"] == (status == 0)


def test_show(pair: tuple[Path, Path], capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["show", str(pair[0]), "--json"]) == 0
    document = _fits("show", capfd.readouterr().out)
    assert document["label"] == "b"
    digest = Digest.read(pair[0], failed=True)
    locks = document["locks"]
    assert isinstance(locks, list)
    assert [one["acquired"] for one in locks] == [digest.lock(one["name"])[0] for one in locks]
    assert any(one["hold"]["p50"] for one in locks)


@pytest.mark.parametrize("count", [2, 3])
def test_compare(
    count: int, pair: tuple[Path, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    third = write(tmp_path / "c.z3t", recording("c", seed=3))
    files = [*map(str, (*pair, third))][:count]
    report = str(tmp_path / "report.txt")
    assert cli.run(["compare", *files, "--json", "--report", report]) == 0
    out, err = capfd.readouterr()
    document = _fits("compare", out)
    assert ("comparisons" in document) == (count == 3)
    assert "Wrote" in err


def test_trend(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for i in range(3):
        write(tmp_path / f"{i}.z3t", recording(f"r{i}", seed=i))
    (tmp_path / "x.z3t").write_text("no recording\n")
    assert cli.run(["trend", str(tmp_path), "--json"]) == 1
    out, err = capfd.readouterr()
    sessions = _fits("trend", out)["sessions"]
    assert isinstance(sessions, list)
    assert len(sessions) == 3
    assert "left out" in err


def test_a_review(pair: tuple[Path, Path]) -> None:
    comparison = compare(*map(Digest.read, pair))
    report = judgement.report(broken())
    whole = Review(
        "z3fold", [], "a base", ["z3trace"], before=report, after=report, comparison=comparison
    )
    for review in (whole, Review("z3fold", [], "a base", ["z3trace"], left=["all"])):
        document = _fits("review", reviewjson.render(review))
        assert (document["comparison"] is None) == (review.comparison is None)


def test_export(pair: tuple[Path, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "x.csv")
    assert cli.run(["export", str(pair[0]), "-o", out, "--json"]) == 0
    assert _fits("export", capfd.readouterr().out) == {"files": [out]}


def _piped(data: bytes, *words: str) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "z3trace", *words]
    return subprocess.run(command, input=data, capture_output=True, check=False)


def test_a_recording_comes_on_standard_input(pair: tuple[Path, Path]) -> None:
    before, after = pair
    shown = _piped(before.read_bytes(), "show", "-")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout == _piped(b"", "show", str(before)).stdout
    compared = _piped(before.read_bytes(), "compare", "-", str(after), "--json")
    assert json.loads(compared.stdout)["before"] == "b"
    csv = _piped(after.read_bytes(), "export", "-", "-o", "-", "--format", "csv")
    assert csv.stdout.startswith(b"side,run,")
    assert not csv.stderr


@pytest.mark.parametrize(
    ("data", "words", "status", "said"),
    [
        (b"nothing\n", ["show", "-"], 1, b"-:1: not a z3trace recording"),
        (b"", ["show", "-"], 1, b"- is empty"),
        (b"", ["compare", "-", "-"], 2, b"more than once"),
        (b"", ["export", "-", "-o", "-"], 2, b"give --format"),
        (b"", ["compare", "-", "x", "--report", "-", "--report", "-"], 2, b"more than once"),
    ],
)
def test_what_is_wrong_with_a_stream(
    data: bytes, words: list[str], status: int, said: bytes
) -> None:
    result = _piped(data, *words)
    assert result.returncode == status
    assert said in result.stderr
    assert len(result.stderr.splitlines()) <= 2


def test_standard_input_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    from z3trace.data import streams

    read, written = os.pipe()
    os.write(written, b"x" * 11)
    os.close(written)
    kept = os.dup(0)
    os.dup2(read, 0)
    monkeypatch.setattr(streams, "_received", [])
    try:
        with pytest.raises(errors.InputError, match="more than 10 bytes"):
            streams.opened(10)
    finally:
        os.dup2(kept, 0)


def test_a_report_goes_to_standard_output_alone(pair: tuple[Path, Path]) -> None:
    files = map(str, pair)
    result = _piped(b"", "compare", *files, "--report", "-", "--format", "ktap")
    assert result.stdout.startswith(b"KTAP version 1\n")
    assert b"Wrote" not in result.stdout


def test_a_recording_is_handed_on_or_kept(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    from z3trace.data import streams

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with streams.destination(streams.STANDARD, "x.z3t", print) as file:
        file.write_bytes(b"whole")
    assert capfdbinary.readouterr().out == b"whole"
    assert not list(tmp_path.iterdir())
    said: list[str] = []

    def fail() -> None:
        with streams.destination(streams.STANDARD, "x.z3t", said.append) as file:
            file.with_name("x.z3t.part").write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    (directory,) = tmp_path.iterdir()
    assert said == [f"what was recorded is kept in {directory}"]
    assert (directory / "x.z3t.part").read_bytes() == b"half"


def test_quiet_keeps_results_and_errors(
    pair: tuple[Path, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["compare", *map(str, pair), "--fail-on-regression"]
    assert cli.run([*words, "-q"]) == 3
    out, err = capfd.readouterr()
    assert "verdict" in out
    assert "gate: regression" in err
    assert cli.run(["compare", *map(str, reversed(pair)), "--fail-on-regression", "-q"]) == 0
    assert capfd.readouterr().err == ""
    assert cli.run(["show", "none.z3t", "-q"]) == 1
    assert "cannot read" in capfd.readouterr().err


def test_verbose_names_programs(capfd: pytest.CaptureFixture[str]) -> None:
    from z3trace import tools
    from z3trace.commands import everywhere

    everywhere._verbose(click.Context(cli.cli), VERBS["show"].params[-1], True)
    tools.run(["true"])
    said = capfd.readouterr().err
    everywhere._verbose(click.Context(cli.cli), VERBS["show"].params[-1], False)
    tools.run(["true"])
    assert capfd.readouterr().err == ""
    assert re.search(r"^\[ +[0-9.]+\] \S*/true: status 0 after [0-9.]+ s$", said, re.M)


def test_help_has_the_table_of_exit_statuses(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--help"]) == 0
    table = " ".join(capfd.readouterr().out.partition("Exit status")[2].split())
    for status, meaning in errors.STATUSES.items():
        assert f"{status} {' '.join(meaning.replace('`', '').split())}" in table
