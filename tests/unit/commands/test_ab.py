"""``ab``, the guest made up: only what this run recorded is reported."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from samples import recording, write

from z3trace import cli
from z3trace.commands import ab
from z3trace.guest import vm
from z3trace.kernels import build, fetch, workloads

Guest = Callable[[vm.Home], vm.Outcome]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Run the command over the recordings of an earlier run; (status, what it said)."""
    old = tmp_path / "old"
    old.mkdir()
    for name in ab.RECORDINGS:
        write(old / name, recording(name))
    (old / "report.txt").write_text("of an earlier run")
    (old / "before.z3t.part").write_text("of a lost run")
    (old / "report.tex").write_text("the user's own")
    (tmp_path / "link").symlink_to(old)
    kernel = SimpleNamespace(release="6.1.0-0-amd64", version="6.1")
    monkeypatch.setattr(fetch, "cached", lambda *_: kernel)
    monkeypatch.setattr(workloads, "build_workloads", lambda *_: None)

    def built(*arguments: Any, **_: object) -> object:
        variant = arguments[2].name
        return SimpleNamespace(variant=variant, path=Path("x.ko"), digest=variant)

    monkeypatch.setattr(build, "build_variant", built)

    def command(guest: Guest, *more: str) -> tuple[int, str]:
        monkeypatch.setattr(vm, "run_half", lambda *arguments: guest(arguments[5]))
        status = cli.run(["ab", "-o", str(tmp_path / "link"), "--force", *more])
        said = capsys.readouterr()
        return status, said.out + said.err

    return command


def test_a_guest_that_records_nothing_does_not_report_the_run_before(
    run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    """Also where the directory is a link, and the guest says that all is well."""
    status, said = run(lambda home: vm.Outcome(0, "", 1.0, ()))
    assert status == 1
    assert "the guest left no whole recordings" in said
    assert {path.name for path in (tmp_path / "old").iterdir()} == {
        "before.z3t.part.1",
        "report.tex",
    }
    assert "before.z3t.part.1" in said


def test_what_this_run_recorded_is_reported(
    run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    def guest(home: vm.Home) -> vm.Outcome:
        assert home.directory == tmp_path / "old"
        for name in home.files:
            write(home.directory / name, recording(f"new-{name}"))
        return vm.Outcome(0, "", 1.0, (), home.files)

    status, said = run(guest)
    assert status == 0, said
    assert "new-before.z3t" in (tmp_path / "old/report.txt").read_text()


def _nothing(_: vm.Home) -> vm.Outcome:
    return vm.Outcome(0, "", 1.0, ())


@pytest.mark.parametrize(
    ("runs", "few"), [(1, True), (5, True), (6, True), (7, False), (40, False)]
)
def test_so_few_runs_that_nothing_can_be_told_are_said_before_anything_runs(
    run: Callable[..., tuple[int, str]], runs: int, few: bool
) -> None:
    """19 primary figures at four fifths of 5 %: 2/924, the least p of 6 + 6 runs, is too much."""
    _, said = run(_nothing, f"--runs={runs}")
    assert ("if all 19 primary figures are seen: from 7 on one can be told" in said) == few
    if few:
        assert said.index("too few to tell any difference") < said.index("booting")


def test_both_sides_of_one_build_are_said_before_anything_runs(
    run: Callable[..., tuple[int, str]],
) -> None:
    _, said = run(_nothing, "--before=stock", "--after=stock")
    assert "both sides are the same build" in said
    assert "same build" not in run(_nothing)[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--target", "zbud"], "target zbud has no variants to compare"),
        (["--target", "zsmalloc", "--before", "pool-lock"], "pool-lock is for z3fold, not for zs"),
        (["--target", "zsmalloc", "--after", "page-lock"], "page-lock is for z3fold, not for zs"),
        (["--before", "zs-pool-lock"], "zs-pool-lock is for zsmalloc, not for z3fold"),
    ],
)
def test_variants_of_another_target_are_refused_in_one_line(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(fetch, "cached", lambda *_: None)
    assert cli.run(["ab", "-o", str(tmp_path / "out"), *words]) == 2
    line, _hint = capsys.readouterr().err.splitlines()
    assert said in line
    assert not (tmp_path / "out").exists()


def test_a_target_says_what_is_compared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its pair of variants; of a patch, the packaged source with and without it."""
    patch = tmp_path / "p.cocci"
    patch.write_text("@@ @@\n-a\n+b\n")
    pairs: list[list[str]] = []
    monkeypatch.setattr(fetch, "cached", lambda *_: None)

    def build_variant(*arguments: object, **_: object) -> SimpleNamespace:
        pairs[-1].append(arguments[2].name)  # type: ignore[attr-defined]
        name = arguments[2].name  # type: ignore[attr-defined]
        return SimpleNamespace(variant="x", path=Path("x.ko"), digest=name)

    monkeypatch.setattr(build, "build_variant", build_variant)

    def build_workloads(_: object, texts: list[str], __: object) -> None:
        pairs[-1] += texts
        raise KeyboardInterrupt

    monkeypatch.setattr(workloads, "build_workloads", build_workloads)
    for words in ([], ["--target", "zsmalloc"], ["--target", "zsmalloc", "--patch", str(patch)]):
        pairs.append([])
        cli.run(["ab", "-o", str(tmp_path / "out"), "--no-timed", *words])
    names = [(before, after, text.partition(":")[0]) for before, after, text in pairs]
    assert names == [
        ("pool-lock", "page-lock", "zpool-bench"),
        ("zs-pool-lock", "zs-class-lock", "zs-bench"),
        ("stock", "stock+p", "zs-bench"),
    ]
