"""``check`` in a guest, the guest made up: which evidence it reports, and its exit status."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from checksamples import broken, clean, write
from msgspec.structs import replace

from z3trace import cli
from z3trace.data.checkfile import Check
from z3trace.errors import GUEST_LOST, GuestLostError
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
