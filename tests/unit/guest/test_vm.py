"""The script that starts a guest's command."""

from pathlib import Path

import pytest

from z3trace import paths
from z3trace.guest import vm
from z3trace.guest.process import Follower


def test_a_guests_script_vouches_for_the_hosts_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are the host's user's there, and the guest's root would not touch them."""
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "cache"))
    lines = vm._script(["z3trace", "record"], {"X": "a b"}, Path("/run/here")).splitlines()
    assert f"export {paths.VOUCHED}=1" in lines
    assert f"export Z3TRACE_CACHE={tmp_path / 'cache'}" in lines
    assert "export X='a b'" in lines
    assert lines[-2:] == ["cd /run/here", "exec z3trace record"]


@pytest.mark.timeout(20)
def test_a_sparse_output_does_not_hold_the_host(tmp_path: Path) -> None:
    """16 TiB, left in the second between two looks, took eight hours to read."""
    with (tmp_path / "stdout").open("wb") as file:
        file.truncate(15 << 40)
    taken: list[int] = []
    vm.drain([Follower(tmp_path / "stdout", lambda data: taken.append(len(data)))], 4 << 20)
    assert sum(taken) == 5 << 20


def test_a_halfs_output_is_text_and_not_too_much(capfd: pytest.CaptureFixture[str]) -> None:
    show = vm._shown(1, 30)
    show(b"one\n\x1b]0;title\x07")
    show(b"x" * 1000)
    show(b"never")
    assert capfd.readouterr().out == "one\n\\x1b]0;title\\x07" + "x" * 16
