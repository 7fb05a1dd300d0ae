"""A guest that means harm to its host: what it leaves in its directory, on its console,
and what it can reach."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vm.conftest import LAST_RESORT, Guest

pytestmark = pytest.mark.vm
#: How a script finds the guest's own directory.
RUN = "run=$(awk '$1 == \"z3t-run\" {print $2}' /proc/mounts)\n"


def test_a_guest_cannot_make_its_host_wait_or_read(guest: Guest, tmp_path: Path) -> None:
    """FIFOs and links in place of its outputs, a file of a terabyte, a status that is none."""
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    began = time.monotonic()
    result = guest(
        f"{RUN}rm $run/stdout $run/stderr; mkfifo $run/stdout $run/status.new $run/status\n"
        f"ln -s {secret} $run/stderr; truncate -s 1T $run/big\n"
        "sleep 600\n",
        deadline="60s",
    )
    assert result.returncode == 128
    assert "the guest was lost" in result.stderr
    assert "of the host" not in result.stdout + result.stderr
    assert time.monotonic() - began < 120


def _left_by(process: "subprocess.Popen[str]", parent: Path) -> Path:
    """The guest's own directory on the host, when the guest has left its things there."""
    while process.poll() is None:
        for path in parent.glob(".z3trace-guest-*/done"):
            return path.parent
        time.sleep(0.2)
    pytest.fail(f"the guest ended: {process.communicate()[1]}")


def test_a_guest_leaves_no_link_no_device_and_no_setuid_file(
    kernel: object, tmp_path: Path
) -> None:
    """Looked at on the host while the guest runs: its directory goes with it."""
    script = (
        f"{RUN}cd $run; ln -s /etc/passwd link; mkfifo fifo; mknod device b 8 0\n"
        "cp /bin/sh shell; chmod 6755 shell; ls -ld link fifo device shell; touch done; sleep 8\n"
    )
    for name in ("temporary", "share"):
        (tmp_path / name).mkdir()
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "z3trace",
            "vm",
            "--share",
            tmp_path / "share",
            "--",
            *("sh", "-ec", script),
        ],
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        run = _left_by(process, tmp_path / "temporary")
        modes = {name: (run / name).lstat().st_mode for name in os.listdir(run)}  # noqa: PTH208 - names
        out, _ = process.communicate(timeout=LAST_RESORT)
    # The guest has them as it made them.
    assert sorted(line[0] for line in out.splitlines()) == ["-", "b", "l", "p"]
    assert "rws" in out
    assert {"link", "fifo", "device", "shell"} <= modes.keys()
    for mode in modes.values():
        assert stat.S_ISREG(mode)
        assert not mode & (stat.S_ISUID | stat.S_ISGID)
    assert not run.exists()


def test_a_flooded_console_holds_no_deadline(guest: Guest) -> None:
    """Lines that took a minute each to search, as fast as the guest can print them."""
    began = time.monotonic()
    result = guest(
        "line=$(head -c 2000 /dev/zero | tr '\\0' x)\n"
        'while :; do echo "rcu: INFO: rcu_x detected detected detected $line" > /dev/kmsg'
        ' 2>/dev/null || true; echo "rcu: INFO: rcu_$line" > /dev/console; done\n',
        deadline="40s",
    )
    assert result.returncode == 128
    assert "the guest was lost" in result.stderr
    # The deadline is the guest's own, up to ten times as long on a busy host.
    assert time.monotonic() - began < 500


def test_a_share_with_a_comma_is_a_share(kernel: object, tmp_path: Path) -> None:
    share = tmp_path / "a,readonly=on,path=b"
    share.mkdir()
    command = [sys.executable, "-m", "z3trace", "vm", "--share", str(share), "--"]
    result = subprocess.run(
        [*command, "sh", "-c", "echo written > file"],
        capture_output=True,
        text=True,
        timeout=LAST_RESORT,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert (share / "file").read_text() == "written\n"
