"""The script that starts a guest's command."""

from pathlib import Path

import pytest

from z3trace import paths
from z3trace.guest import vm


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
