"""``check`` in a guest, the guest made up: which evidence it reports, and its exit status."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from checksamples import broken, clean, header, progress, write
from msgspec.structs import replace

from z3trace import cli
from z3trace.data.checkfile import Check
from z3trace.errors import GUEST_LOST, NOT_JUDGED, GuestLostError
from z3trace.guest import vm
from z3trace.kernels import fetch, workloads

Guest = Callable[[vm.Home, str], vm.Outcome]


def _known(check: Check, identity: str) -> Check:
    return replace(check, header=replace(check.header, identity=identity))


@pytest.fixture
def check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Run the command over an old clean check in its directory; (status, what it said)."""
    write(clean("the check before"), tmp_path / "check.z3c")
    for name in ("check.txt", "check.json", "check.html", "lock-order.svg", vm.CONSOLE):
        (tmp_path / name).write_text("of the check before")
    monkeypatch.setattr(
        fetch, "cached", lambda *_: SimpleNamespace(release="6.1.0-0-amd64", version="6.1")
    )
    monkeypatch.setattr(workloads, "build_workloads", lambda *_: None)

    def run(guest: Guest, *more: str) -> tuple[int, str]:
        monkeypatch.setattr(
            vm, "run_half", lambda *arguments: guest(arguments[5], arguments[2].identity)
        )
        status = cli.run(["check", "--variant", "packaged", "-o", str(tmp_path), "--force", *more])
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


def _fails(home: vm.Home, identity: str) -> vm.Outcome:
    return vm.Outcome(1, "", 1.0, ())


def _is_lost(home: vm.Home, identity: str) -> vm.Outcome:
    raise GuestLostError("the guest was lost: RCU stall: x\nits last lines")


def test_a_guest_that_fails_does_not_report_the_check_before(
    check: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    status, said = check(_fails)
    assert status == 1
    assert "the check failed in the guest" in said
    assert "no violation" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_guest_that_is_lost_without_evidence_is_lost(
    check: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    status, said = check(_is_lost)
    assert status == GUEST_LOST
    assert "no violation" not in said
    assert not (tmp_path / "check.json").exists()


def test_violations_before_the_guest_was_lost_are_reported(
    check: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    def guest(home: vm.Home, identity: str) -> vm.Outcome:
        assert home.directory == tmp_path
        write(_known(broken("this check"), identity), tmp_path / "check.z3c", whole=False)
        (tmp_path / vm.CONSOLE).write_text("[1.0] rcu: INFO: rcu_preempt detected stalls\n")
        return _is_lost(home, identity)

    status, said = check(guest)
    assert status == 3
    assert "held-at-return" in said
    assert "the check before" not in said
    assert "RCU stall" in (tmp_path / "check.txt").read_text()


def test_a_file_of_another_check_is_not_reported(
    check: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    """A guest that hands out an old file, or one that it was given."""

    def guest(home: vm.Home, identity: str) -> vm.Outcome:
        write(_known(clean("the check before"), "another"), tmp_path / "check.z3c")
        return vm.Outcome(0, "", 1.0, ())

    status, said = check(guest)
    assert status == 1
    assert "no violation" not in said


def test_a_clean_check_is_clean(check: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    def guest(home: vm.Home, identity: str) -> vm.Outcome:
        write(_known(clean("this check"), identity), tmp_path / "check.z3c")
        return vm.Outcome(0, "", 1.0, ())

    status, said = check(guest)
    assert status == 0
    assert "this check: no violation" in said


def test_a_check_that_could_not_judge_everything_is_no_clean_one(
    check: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    def guest(home: vm.Home, identity: str) -> vm.Outcome:
        reason = "1 of 4 lock call sites are not seen, in z3fold_free"
        rules = ["held-at-return", "release-unheld"]
        partial = replace(clean(), header=header(not_judged=dict.fromkeys(rules, reason)))
        write(_known(partial, identity), tmp_path / "check.z3c")
        return vm.Outcome(0, "", 1.0, ())

    status, said = check(guest)
    assert status == NOT_JUDGED
    assert "not everything could be judged" in said
    assert "- held-at-return, release-unheld: 1 of 4 lock call sites" in said


@pytest.mark.parametrize(("status", "whole"), [(0, False), (1, False), (1, True)])
def test_half_a_check_or_a_failed_guest_is_no_success(
    check: Callable[..., tuple[int, str]], tmp_path: Path, status: int, whole: bool
) -> None:
    def guest(home: vm.Home, identity: str) -> vm.Outcome:
        evidence = _known(clean("this check"), identity)
        kept = evidence if whole else replace(evidence, end=None)
        write(kept, tmp_path / "check.z3c", whole=whole)
        if not whole:
            (tmp_path / "check.z3c.part").rename(tmp_path / "check.z3c")
        return vm.Outcome(status, "", 1.0, ())

    assert check(guest)[0] == 1


def test_a_reference_may_lie_where_the_check_writes(
    check: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    """It is read before room is made for the new check."""

    def guest(home: vm.Home, identity: str) -> vm.Outcome:
        write(_known(clean("this check"), identity), tmp_path / "check.z3c")
        return vm.Outcome(0, "", 1.0, ())

    status, said = check(guest, "--reference", str(tmp_path / "check.z3c"))
    assert "new-nesting" not in said
    assert status == 0


@pytest.mark.parametrize("more", [["--module", "x.ko"], ["--load"]])
def test_a_module_of_ones_own_and_a_patch_do_not_go_together(
    more: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.ko").touch()
    Path("x.patch").touch()
    assert cli.run(["check", "--patch", "x.patch", *more]) == 2
    said = capsys.readouterr().err
    assert f"no place for {more[0]}" in said
    assert "--workload" not in said


def test_a_guest_that_is_lost_before_it_is_counted_did_not_do_nothing(
    check: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    """The first count is of when the probes were in place."""
    panic = """\
[   20.0] list_del corruption. prev->next should be ffff888000001010, but was 0
[   20.0] ------------[ cut here ]------------
[   20.0] kernel BUG at lib/list_debug.c:59!
[   20.1] invalid opcode: 0000 [#1] PREEMPT SMP NOPTI
[   20.1] RIP: 0010:__list_del_entry_valid.cold+0x1d/0x55
[   20.1]  z3fold_reclaim_page+0x12/0x99 [z3fold]
[   20.2] Kernel panic - not syncing: Fatal exception
"""

    def guest(home: vm.Home, identity: str) -> vm.Outcome:
        counted = progress(operations={"alloc": 0, "free": 7}, reached=[])
        unfinished = replace(_known(clean("this check"), identity), progress=counted, end=None)
        write(unfinished, tmp_path / "check.z3c", whole=False)
        (tmp_path / vm.CONSOLE).write_text(panic)
        return _is_lost(home, identity)

    assert check(guest)[0] == GUEST_LOST
    text = (tmp_path / "check.txt").read_text()
    assert re.search(r"alloc +unknown", text)
    assert re.search(r"free +at least 7", text)
    assert "Not reached" not in text
    for words in (
        "list_del corruption",
        "kernel BUG at lib/list_debug.c:59",
        "z3fold_reclaim_page",
    ):
        assert words in text
    report = json.loads((tmp_path / "check.json").read_bytes())
    assert report["exercised"]["operations"] == {"alloc": None, "free": 7}
    assert "unknown" in (tmp_path / "check.html").read_text()
