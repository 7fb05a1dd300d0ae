"""What the documents quote is what is there: figures, files, verbs and options."""

import re
import shlex
from pathlib import Path

import click
import pytest

from z3trace.cli import cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
README = (ROOT / "README.md").read_text()


def _ids(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("document", DOCUMENTS, ids=_ids)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def _commands() -> list[list[str]]:
    """Every command line of z3trace that a document's indented blocks or code spans have."""
    texts = [document.read_text() for document in DOCUMENTS]
    lines = [
        line
        for text in texts
        for line in re.findall(r"^    (z3trace .*)$|`(z3trace [^`\n]*)`", text, re.MULTILINE)
    ]
    return [shlex.split(one or other, comments=True) for one, other in lines]


@pytest.mark.parametrize("words", _commands(), ids=" ".join)
def test_commands_have_the_options_that_documents_give(words: list[str]) -> None:
    context = click.Context(cli)
    command: click.Command | None = cli
    rest = words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        command = command.get_command(context, rest.pop(0))
        assert command is not None, f"no such verb in: {words}"
    own = rest[: rest.index("--")] if "--" in rest else rest
    assert command is not None
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    given = {word.partition("=")[0] for word in own if re.match(r"--?[a-z]", word)}
    assert given - {"--help", "-h"} <= known


def test_the_readme_quotes_the_demo_that_it_shows() -> None:
    report = (ROOT / "docs/demo/report.txt").read_text()
    throughput = re.search(r"ratio (\S+ \[\S+ \S+\]): (\w+)", report)
    assert throughput
    assert f"ratio {throughput[1]}, {throughput[2]}" in README
    flat = " ".join(README.split())
    for runs in ("timed build", "all probes"):
        slower = re.search(rf"^{runs} +([0-9.]+) +([0-9.]+) ", report, re.MULTILINE)
        assert slower
        assert f"by a factor of {slower[1]} before and {slower[2]} after" in flat


def test_the_documents_have_every_exit_status() -> None:
    from z3trace import errors

    table = (ROOT / "docs/scripts.md").read_text().partition("## Exit status")[2]
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", table, re.MULTILINE)
    assert {int(status): meaning for status, meaning in rows} == errors.STATUSES
    codes = {value for value in vars(errors).values() if isinstance(value, int)}
    assert codes == set(errors.STATUSES)


def test_every_parameter_of_a_workload_is_documented() -> None:
    from z3trace.workloads.choose import NAMED
    from z3trace.workloads.zpool_bench import ZpoolBench
    from z3trace.workloads.zram import Zram
    from z3trace.workloads.zs_bench import ZsBench
    from z3trace.workloads.zswap import Zswap

    text = (ROOT / "docs/workloads.md").read_text()
    rows = {
        (name, value)
        for cells in re.findall(r"^\| (`[^|]+) \| ([^|]+) \|", text, re.MULTILINE)
        for name, value in zip(
            re.findall(r"`([a-z_]+)`", cells[0]),
            cells[1].split(", ") * (1 if ", " in cells[1] else 2),
            strict=False,
        )
    }
    for workload in (ZpoolBench, ZsBench, Zram, Zswap):
        assert set(workload.DEFAULTS.items()) <= rows
    for name in NAMED:
        assert f"| `{name}` |" in text
