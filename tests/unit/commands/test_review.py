"""``review``, the guests made up: what is asked of them, and what becomes of what they say."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from checksamples import broken, clean, write
from msgspec import structs
from samples import recording
from samples import write as write_recording

from z3trace import cli
from z3trace.errors import GuestLostError
from z3trace.guest import vm
from z3trace.guest.spec import CheckSpec
from z3trace.kernels import build, fetch, workloads
from z3trace.kernels.layout import Kernel
from z3trace.target import plan
from z3trace.workloads import mixes

CODE = "".join(f"int f{n}(void)\n{{\n\treturn {n};\n}}\n\n" for n in range(60))
PATCH = """\
From: A <a@example.org>
Subject: [PATCH] z3fold: a lock
Date: Tue, 15 Nov 2016 11:00:00 +0000

--- a/mm/z3fold.c
+++ b/mm/z3fold.c
@@ -96,5 +96,5 @@ int f19(void)
 int f19(void)
 {
-\treturn 19;
+\treturn 20;
 }
\x20
"""
MIXES = mixes.MIXES[mixes.ZPOOL_BENCH]
Judge = Callable[[CheckSpec], tuple[object, str]]
Run = Callable[..., tuple[int, str]]


class Guests:
    """Made-up guests: *judge* says what a check finds, and why its guest is lost."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.checked: list[tuple[str, str]] = []

    def __call__(self, kernel: Kernel, verb: str, spec, machine, say, home: vm.Home, *_) -> vm.Outcome:  # type: ignore[no-untyped-def]  # fmt: skip
        if verb == "ab-guest":
            for name in home.files:
                write_recording(home.directory / name, recording(name))
            return vm.Outcome(0, "", 1.0, (), home.files)
        side = "base" if spec.label == "old" else "patched"
        self.checked.append((side, home.directory.name))
        check, lost = self.judge(spec)
        header = structs.replace(check.header, identity=spec.identity, workload=spec.workload)  # type: ignore[attr-defined]
        write(structs.replace(check, header=header), home.directory / home.files[0], whole=not lost)  # type: ignore[type-var]
        if lost:
            raise GuestLostError(f"the guest was lost: {lost}\nits last lines")
        return vm.Outcome(0, "", 1.0, (), home.files)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    kernel = Kernel(tmp_path / "kernel", "6.1.0-0-amd64", "6.1.9-1")
    (kernel.sources / "mm").mkdir(parents=True)
    monkeypatch.setattr(fetch, "cached", lambda *_: kernel)
    monkeypatch.setattr(workloads, "build_workloads", lambda *_: None)

    def built(_: Kernel, source: str, variant, *__, **___):  # type: ignore[no-untyped-def]
        return SimpleNamespace(variant=variant.name, path=tmp_path / "x.ko", digest=variant.name)

    monkeypatch.setattr(build, "build_variant", built)
    monkeypatch.setattr(plan, "make", lambda *_: SimpleNamespace(locks=[]))
    (tmp_path / "old.c").write_text(CODE)
    (tmp_path / "p.eml").write_text(PATCH)

    def command(guests: Guests, *more: str) -> tuple[int, str]:
        monkeypatch.setattr(vm, "run_half", guests)
        words = ["review", str(tmp_path / "p.eml"), "--base", str(tmp_path / "old.c")]
        status = cli.run([*words, "-o", str(tmp_path / "out"), "--force", *more])
        said = capsys.readouterr()
        return status, said.out + said.err

    return command


def _is_patched(spec: CheckSpec) -> bool:
    return spec.label != "old"


def test_a_finding_of_the_patch_is_in_the_reply_and_in_the_exit_status(
    run: Run, tmp_path: Path
) -> None:
    guests = Guests(lambda spec: (broken() if _is_patched(spec) else clean(), ""))
    status, said = run(guests)
    assert status == 3, said
    reply = (tmp_path / "out/review.txt").read_text()
    assert reply in said
    lines = reply.splitlines()
    assert lines[0] == "Subject: Re: [PATCH] z3fold: a lock"
    assert "> +\treturn 20;" in lines
    assert "held-at-return" in reply
    for name in ("report.txt", "patched/check.txt", "base/check.html"):
        assert (tmp_path / "out" / name).exists()


def test_without_a_finding_all_is_well(run: Run) -> None:
    status, said = run(Guests(lambda _: (clean(), "")), "--no-figures")
    assert status == 0, said
    assert "no violation" in said


def test_what_could_not_be_judged_is_no_success(run: Run) -> None:
    def judge(_: CheckSpec) -> tuple[object, str]:
        check = clean()
        header = structs.replace(check.header, not_judged={"held-at-return": "not seen"})
        return structs.replace(check, header=header), ""

    status, said = run(Guests(judge), "--no-figures")
    assert status == 6, said


def test_a_guest_that_dies_does_not_end_the_review(run: Run, tmp_path: Path) -> None:
    """The next guests run other mixes, and the base runs those that showed something."""
    guests = Guests(
        lambda spec: (broken(), "kernel panic: x") if _is_patched(spec) else (clean(), "")
    )
    status, said = run(guests, "--no-figures")
    assert status == 3, said
    patched = [name for side, name in guests.checked if side == "patched"]
    assert len(patched) == len(set(patched)) == len(MIXES)
    base = [name for side, name in guests.checked if side == "base"]
    assert len(base) == len(MIXES)
    assert f"and {len(MIXES) - 1} more." in (tmp_path / "out/review.txt").read_text()


def test_the_budget_ends_it_and_is_told(run: Run) -> None:
    guests = Guests(lambda spec: (broken(), "x") if _is_patched(spec) else (clean(), ""))
    status, said = run(guests, "--no-figures", "--budget", "1ms")
    assert status == 3, said
    assert [side for side, _ in guests.checked] == ["base", "patched"]
    assert "The budget of 0 minutes was over before these mixes: no HEADLESS" in said


def test_one_workload_is_all_that_is_run(run: Run) -> None:
    guests = Guests(lambda _: (clean(), ""))
    run(guests, "--no-figures", "--workload", "zpool-bench:ops=10")
    assert [side for side, _ in guests.checked] == ["base", "patched"]


def test_what_the_base_has_too_is_no_fault_of_the_patch(run: Run) -> None:
    status, said = run(Guests(lambda _: (broken(), "")), "--no-figures")
    assert status == 0, said
    assert "Not of this patch, for the base has it too" in said


def test_bad_input_is_said_before_anything_boots(run: Run, tmp_path: Path) -> None:
    guests = Guests(lambda _: (clean(), ""))
    (tmp_path / "p.eml").write_text(PATCH.replace("-\treturn 19", "-\treturn 18"))
    status, said = run(guests)
    assert status == 1
    assert "does not apply" in said
    assert not guests.checked
    status, said = run(guests, "--base", "nothing")
    assert (status, guests.checked) == (2, [])


def test_a_guest_that_is_lost_before_anything_is_found_is_no_success(run: Run) -> None:
    guests = Guests(lambda spec: (clean(), "it hung" if _is_patched(spec) else ""))
    status, said = run(guests, "--no-figures")
    assert status == 128, said
    assert run(guests, "--no-figures", "--bisect")[0] == 125
