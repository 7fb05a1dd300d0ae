"""Manual pages and completion are those of the verbs, and shells and man take them."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from z3trace import cli, errors
from z3trace.commands import manual
from z3trace.commands.examples import EXAMPLES

PAGES = manual.pages(cli.cli, "1.0")
VERBS = dict(manual.walk(cli.cli))


def _page(words: tuple[str, ...]) -> str:
    return PAGES["-".join(("z3trace", *words)) + ".1"]


def _plain(page: str) -> str:
    """What a reader sees, in one line."""
    return " ".join(page.replace("\\-", "-").replace("\\e", "\\").replace("\\&", "").split())


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_a_page_has_every_option_and_every_status(words: tuple[str, ...]) -> None:
    page = _plain(_page(words))
    for option in VERBS[words].params:
        if isinstance(option, click.Option):
            assert max(option.opts, key=len) in page
    for code, meaning in errors.STATUSES.items():
        assert f"\\fB{code}\\fR {' '.join(meaning.replace('`', '').split())}" in page


def test_every_verb_has_an_example_with_its_name() -> None:
    verbs = {words for words, one in VERBS.items() if not isinstance(one, click.Group)}
    assert set(EXAMPLES) == {(), *verbs}
    for words, examples in EXAMPLES.items():
        for _, line in examples:
            assert " ".join(("z3trace", *words)) in line.replace("$(", "")
            assert _plain(line) in _plain(_page(words))


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_roff_has_no_request_by_accident(words: tuple[str, ...]) -> None:
    known = {"TH", "SH", "PP", "TP", "RS", "RE", "EX", "EE", "nh", "ad"}
    requests = re.findall(r"^[.'](\S*)", _page(words), re.M)
    assert set(requests) <= known
    assert _page(words).isascii()


def test_what_looks_like_a_request_is_text() -> None:
    assert manual.escaped(".so x\n'x \\ a-b") == "\\&.so x\n\\&'x \\e a\\-b"


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_groff_has_nothing_to_say(tmp_path: Path) -> None:
    for name, text in PAGES.items():
        (tmp_path / name).write_text(text)
    command = ["groff", "-man", "-Tutf8", "-ww", "-z", *sorted(tmp_path.iterdir())]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stderr == ""


def _completed(shell: str, line: str) -> list[str]:
    """What a shell's completion asks of z3trace, answered."""
    import os
    import sys

    environment = {
        **os.environ,
        "_Z3TRACE_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": line.rsplit(maxsplit=1)[-1]
        if shell == "fish"
        else str(len(line.split()) - 1),
    }
    out = subprocess.run(
        [sys.executable, "-m", "z3trace"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return re.findall(r"[a-z-]+$" if shell == "bash" else r"^\S+", out, re.M)


@pytest.mark.parametrize("shell", manual.PLACES)
def test_completion_knows_verbs_and_options(shell: str) -> None:
    assert "record" in " ".join(_completed(shell, "z3trace rec"))
    assert "--runs" in " ".join(_completed(shell, "z3trace record --ru"))
    assert "zsmalloc" in " ".join(_completed(shell, "z3trace record --target zs"))


def test_bash_completes(tmp_path: Path) -> None:
    """As a session does it: with the script read, and a word begun."""
    import sys

    program = tmp_path / "z3trace"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m z3trace "$@"\n')
    program.chmod(0o755)
    script = manual.completions(cli.cli)["bash"]
    ask = (
        f"{script}\nCOMP_WORDS=(z3trace kern); COMP_CWORD=1; "
        '_z3trace_completion z3trace kern z3trace; echo "${COMPREPLY[@]}"'
    )
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    command = ["bash", "--norc", "-c", ask]
    out = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["kernel"]


def test_all_is_installed_by_one_command(tmp_path: Path) -> None:
    assert cli.run(["completion", "--install", "--prefix", str(tmp_path)]) == 0
    share = tmp_path / "share"
    for place in manual.PLACES.values():
        assert (share / place).is_file()
    assert {path.name for path in (share / "man/man1").iterdir()} == set(PAGES)


@pytest.mark.parametrize("words", [[], ["bash", "--install"], ["tcsh"]])
def test_wrong_usage_of_completion(words: list[str]) -> None:
    assert cli.run(["completion", *words]) == 2
