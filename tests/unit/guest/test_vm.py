"""The script that starts a guest's command."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from z3trace import paths
from z3trace.errors import UsageError
from z3trace.guest import vm
from z3trace.guest.process import Follower
from z3trace.guest.qemu import Options
from z3trace.guest.spec import CheckSpec
from z3trace.kernels.layout import Kernel

KERNEL = Kernel(Path("/kernel"), "6.1.0-0-amd64", "6.1.0-1")


def test_a_guests_script_vouches_for_the_hosts_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are the host's user's there, and the guest's root would not touch them."""
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "cache"))
    kernel = Kernel(tmp_path, "6.1.9", "1", own="0123")
    lines = vm._script(kernel, ["z3trace", "re cord"], Path("/run/here")).splitlines()
    assert f"export {paths.VOUCHED}=1" in lines
    assert f"export Z3TRACE_CACHE={tmp_path / 'cache'}" in lines
    # Which of several kernels of one release it is, and so which modules are for it.
    assert f"export {paths.KERNEL}=6.1.9-0123" in lines
    assert lines[-2:] == ["cd /run/here", "exec z3trace 're cord'"]


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


@pytest.mark.parametrize("cache", ["cache", "../cache", "{here}/cache"])
def test_a_half_needs_no_path_of_its_host(
    cache: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs in a directory of its own: what a relative path names on the host goes with it,
    or is named from the root."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("Z3TRACE_CACHE", cache.format(here=here))
    (here / "x.toml").write_text("name = 'x'")
    given: dict[str, Any] = {}

    def run(kernel: object, command: list[str], *_: object, **more: Any) -> None:
        given.update(more["files"], script=vm._script(KERNEL, command, Path("/run/guest")))

    monkeypatch.setattr(vm, "run", run)
    spec = CheckSpec(
        target="x.toml",
        label="x",
        module="",
        workload="zpool-bench",
        lock_mode="hybrid",
        seed=1,
        hold=2.0,
        wait=2.0,
        command=["z3trace"],
        output="check.z3c",
        identity="0123",
        keep_paths=False,
    )
    fake: Any = None
    vm.run_half(fake, "check-guest", spec, Options(), print, vm.Home(here))
    told = msgspec.json.decode(given["spec.json"], type=CheckSpec)
    assert given[told.target] == b"name = 'x'"
    names = ("Z3TRACE_CACHE", "Z3TRACE_PROGRAMS")
    lines = [line for line in given["script"].splitlines() if line.split("=")[0][7:] in names]
    assert len(lines) == 2
    assert all(line.partition("=")[2].startswith("/") for line in lines), lines


def test_a_program_of_the_users_own_goes_into_the_guest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "load.sh").write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(UsageError, match="no program"):
        vm.own_program(["./load.sh"])
    (tmp_path / "load.sh").chmod(0o755)
    argv, files = vm.own_program(["./load.sh", "a b"])
    assert argv == ["./workload-load.sh", "a b"]
    assert files == {"workload-load.sh": b"#!/bin/sh\nexit 0\n"}
    for seen in (["sh", "-c", "x"], ["/usr/bin/env", "x"], ["/bin/sh"]):
        assert vm.own_program(seen) == (seen, {})
