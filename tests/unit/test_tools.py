"""Programs that z3trace runs: found, missing, failing."""

import sys
from pathlib import Path

import pytest

from z3trace import tools
from z3trace.errors import Z3traceError


def test_output_is_returned_and_arguments_are_not_for_a_shell() -> None:
    code = "import sys; print(sys.argv[1:])"
    assert tools.run([sys.executable, "-c", code, "$HOME", "a b"]) == "['$HOME', 'a b']\n"


def test_a_failure_tells_the_last_lines_and_what_was_done() -> None:
    code = "import sys; print(*range(40), sep='\\n'); sys.exit(3)"
    with pytest.raises(Z3traceError) as raised:
        tools.run([sys.executable, "-c", code], doing="counting")
    lines = raised.value.message.splitlines()
    assert lines[0] == "counting failed with status 3:"
    assert lines[1:] == [str(n) for n in range(25, 40)]


def test_a_program_is_named_where_nothing_says_what_was_done() -> None:
    with pytest.raises(Z3traceError, match=f"{Path(sys.executable).name} failed"):
        tools.run([sys.executable, "-c", "raise SystemExit(1)"])


def test_a_program_beyond_its_limit_is_an_error_and_no_traceback() -> None:
    code = "import time; print('x'); time.sleep(60)"
    with pytest.raises(Z3traceError, match=r"^waiting took longer than 1 s$"):
        tools.run([sys.executable, "-c", code], doing="waiting", timeout=1)


def test_a_missing_program_names_its_package() -> None:
    with pytest.raises(Z3traceError, match="z3trace-none is not installed") as raised:
        tools.find("z3trace-none")
    assert "apt-get install z3trace-none" in raised.value.hint


def test_the_package_is_the_one_that_has_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.shutil, "which", lambda *_, **__: None)
    with pytest.raises(Z3traceError) as raised:
        tools.find("spatch")
    assert "coccinelle" in raised.value.hint


def test_programs_are_found_where_a_users_path_does_not_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "z3trace-only-here"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(tools, "_SYSTEM_DIRECTORIES", (str(tmp_path),))
    assert tools.find("z3trace-only-here") == str(program)


def test_a_program_reads_nothing_and_runs_where_it_is_told(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd(), repr(sys.stdin.read()), os.environ['X'])"
    said = tools.run([sys.executable, "-c", code], cwd=tmp_path, env={"X": "1"})
    assert said.split() == [str(tmp_path.resolve()), "''", "1"]


def test_bytes_that_are_no_text_are_no_error() -> None:
    code = "import sys; sys.stdout.buffer.write(b'\\xff')"
    assert tools.run([sys.executable, "-c", code]) == "\N{REPLACEMENT CHARACTER}"
