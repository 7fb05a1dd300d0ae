"""What a user meets first: help, errors, exit codes, start-up."""

import subprocess
import sys
from pathlib import Path

import pytest
from samples import recording, write

from z3trace.commands import verbs


def z3trace(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "z3trace", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_help_lists_every_verb() -> None:
    out = z3trace("--help").stdout
    for verb in verbs.VERBS:
        assert verb in out


@pytest.mark.parametrize("verb", sorted(verbs.VERBS))
def test_every_verb_has_help(verb: str) -> None:
    result = z3trace(verb, "--help")
    assert result.returncode == 0
    assert "Usage:" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nothing"], 2, "No such command"),
        (["show", "none.z3t"], 1, "cannot read none.z3t"),
        (["record", "-o", "x.z3t"], 2, "give one of"),
        (["record", "-o", "x.z3t", "--duration", "soon"], 2, "is not a duration"),
        (["record", "-o", "x.z3t", "--workload", "zpool-bench:nothing=1"], 2, "no parameter"),
        (["record", "-o", "x.z3t", "--target", "nothing", "--duration", "1s"], 2, "no target"),
        (["kernel", "build", "--variant", "nothing"], 2, "no variant"),
        (["kernel", "fetch", "../../etc"], 2, "not a kernel release"),
        (["vm", "--share", "/", "--", "true"], 2, "cannot be shared"),
    ],
)
def test_bad_input_gets_one_clear_line_and_its_exit_code(
    arguments: list[str], code: int, said: str
) -> None:
    result = z3trace(*arguments)
    assert result.returncode == code, result.stderr
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_kernel_without_kprobes_is_exit_4() -> None:
    if Path("/sys/bus/event_source/devices/kprobe").exists():
        pytest.skip("this kernel has kprobes")
    result = z3trace("record", "-o", "x.z3t", "--duration", "1s")
    assert result.returncode == 4
    assert "this kernel has no kprobes" in result.stderr


def test_output_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    path = write(tmp_path / "x.z3t", recording(runs=1))
    before = path.read_bytes()
    result = z3trace("record", "-o", path, "--duration", "1s")
    assert result.returncode == 2
    assert "--force" in result.stderr
    assert path.read_bytes() == before


def test_recordings_that_cannot_be_compared_are_exit_5(tmp_path: Path) -> None:
    b = write(tmp_path / "b.z3t", recording("b"))
    a = write(tmp_path / "a.z3t", recording("a", workload="other"))
    result = z3trace("compare", b, a)
    assert result.returncode == 5
    assert "workload" in result.stderr


def test_a_regression_is_exit_3_when_asked(tmp_path: Path) -> None:
    b = write(tmp_path / "b.z3t", recording("b"))
    a = write(tmp_path / "a.z3t", recording("a", scale=1.5, seed=2))
    assert z3trace("compare", b, a).returncode == 0
    assert z3trace("compare", b, a, "--fail-on-regression").returncode == 3
    assert z3trace("compare", a, b, "--fail-on-regression").returncode == 0


def _imported(code: str) -> set[str]:
    probe = f"import sys\n{code}\nprint(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return set(out.stdout.split())


def test_help_and_recording_import_nothing_heavy() -> None:
    heavy = {"pandas", "scipy", "matplotlib", "numpy", "bcc", "jinja2"}
    assert not heavy & _imported("import z3trace.cli")
    assert not heavy & _imported(
        "import z3trace.recording.run, z3trace.recording.session, z3trace.commands.record"
    )
