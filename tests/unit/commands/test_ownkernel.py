"""``kernel config`` and ``kernel make``, and --kernel of the verbs that boot one kernel."""

import sys
from pathlib import Path

import kerneltree
import pytest

from z3trace import cli
from z3trace.commands import record
from z3trace.kernels import fragment, maketree


def _run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = cli.run(list(words))
    said = capsys.readouterr()
    return status, said.out, said.err


def test_the_fragment_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(capsys, "kernel", "config") == (0, fragment.text(), "")


def test_what_a_configuration_lacks_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / ".config"
    config.write_text(fragment.text())
    status, out, _ = _run(capsys, "kernel", "config", str(config))
    assert (status, out) == (0, "nothing that a guest or the probes need is missing\n")
    config.write_text(fragment.text().replace("CONFIG_KPROBES=y", "# CONFIG_KPROBES is not set"))
    # A directory has its own.
    status, out, _ = _run(capsys, "kernel", "config", str(tmp_path))
    assert (status, out) == (4, "probes  CONFIG_KPROBES is not set: probes at call sites\n")
    config.write_text(fragment.text().replace("CONFIG_ZRAM=m\n", ""))
    status, out, _ = _run(capsys, "kernel", "config", str(config))
    assert status == 0
    assert out.startswith("better  CONFIG_ZRAM is not set: the workload zram\n")


def test_what_is_no_configuration_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "x").write_text("hello\n")
    status, _, said = _run(capsys, "kernel", "config", str(tmp_path / "x"))
    assert status == 2
    assert "sets no option" in said
    status, _, said = _run(capsys, "kernel", "config", str(tmp_path))
    assert status == 1
    assert "cannot read" in said


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(maketree, "must_have_tools", lambda: None)
    return kerneltree.make(tmp_path / "linux")


def test_two_builds_of_one_tree_are_two_kernels_of_one_release(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.patch").write_text(kerneltree.PATCH)
    status, out, said = _run(capsys, "kernel", "make", str(tree))
    assert status == 0, said
    assert "build: " in said
    before = Path(out.strip())
    status, out, said = _run(
        capsys, "kernel", "make", str(tree), "--patch", str(tmp_path / "p.patch")
    )
    assert status == 0, said
    assert "incremental build: " in said
    after = Path(out.strip())
    assert before != after
    sources = [(path / "source/mm/zsmalloc.c").read_text() for path in (before, after)]
    assert ["return 1" in text for text in sources] == [True, False]


def test_a_patch_is_seen_in_the_box_only(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.patch").write_text(kerneltree.PATCH)
    words = ("kernel", "make", str(tree), "--unboxed", "--patch", str(tmp_path / "p.patch"))
    status, _, said = _run(capsys, *words)
    assert status == 2
    assert "in the box only" in said


@pytest.mark.parametrize("words", [("vm", "--", "true"), ("check",)])
def test_a_kernel_that_was_not_built_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    verb, *more = words
    status, _, said = _run(capsys, verb, "--kernel", str(tmp_path), *more)
    assert status == 2
    assert "is no built kernel" in said


def test_one_kernel_is_enough_for_a_guest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    twice = ["--kernel", str(tmp_path)] * 2
    for words in (["vm", *twice, "--", "true"], ["record", *twice, "-o", "x.z3t", "--duration=1"]):
        monkeypatch.setattr(sys, "argv", ["z3trace", *words])
        status, _, said = _run(capsys, *words)
        assert status == 2
        assert "more than once" in said


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("record --kernel /t -o x.z3t --duration 1", "record -o x.z3t --duration 1"),
        ("record --kernel=/t -o x.z3t -- sh --kernel y", "record -o x.z3t -- sh --kernel y"),
        ("record -o x.z3t --kernel --kernel", "record -o x.z3t"),
    ],
)
def test_the_guest_is_asked_for_the_same_recording(words: str, left: str) -> None:
    assert record._without_kernel(words.split()) == left.split()


def test_a_recording_that_a_guest_would_take_with_it_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    words = ["record", "--kernel", str(tmp_path), "-o", "../x.z3t", "--duration=1"]
    status, _, said = _run(capsys, *words)
    assert status == 2
    assert "../x.z3t is not below the current directory" in said


def test_recordings_of_boots_are_not_removed_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    boots = tmp_path / "out/boots"
    boots.mkdir(parents=True)
    (boots / "before-01.z3t").write_bytes(b"kept")
    status, _, said = _run(capsys, "ab", "-o", str(tmp_path / "out"))
    assert status == 2
    assert "boots" in said
    assert (boots / "before-01.z3t").read_bytes() == b"kept"


def test_a_program_that_is_not_there_is_told_before_anything_is_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["ab", "-o", str(tmp_path / "out"), "--", str(tmp_path / "typo")]
    status, _, said = _run(capsys, *words)
    assert status == 2
    assert "there is no program" in said
    assert not (tmp_path / "out").exists()
