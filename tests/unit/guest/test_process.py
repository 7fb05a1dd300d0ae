"""How a guest's process is watched; a shell script stands in for QEMU."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from z3trace.guest import process as guests
from z3trace.guest.console import READY
from z3trace.guest.share import Directories

_STALL = "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:"
_BUSY = "rcu: \t1-....: (5249 ticks this GP) idle=6554/1/0x4 softirq=74/74 fqs=2625"


@pytest.fixture
def directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Directories:
    monkeypatch.setattr(guests, "_GRACE", 0.1)
    monkeypatch.setattr(guests, "_POLL", 0.02)
    for name in ("run", "private"):
        (tmp_path / name).mkdir()
    return Directories(tmp_path / "run", tmp_path / "private")


def _boot(directories: Directories, first: str, later: str) -> tuple[str | None, str, int]:
    """(why it is lost, the console, boots) of a guest whose first boot does *first*."""
    script = (
        f"cd '{directories.private}'; echo boot >> boots\n"
        f"if [ $(wc -l < boots) = 1 ]; then {first}; else {later}; fi >> console.log\nsleep 60"
    )
    said: list[str] = []
    guest, lost = guests.boot(["sh", "-c", script], directories, said.append)
    guest.kill()
    boots = len((directories.private / "boots").read_text().splitlines())
    assert len(said) == boots - 1
    return lost, guest.console.text(), boots


def test_a_guest_that_hangs_while_it_boots_is_booted_again(
    directories: Directories,
) -> None:
    hang = f"printf '{_STALL}\\n{_BUSY}\\n'"
    lost, console, boots = _boot(directories, hang, f"echo {READY}")
    assert (lost, console, boots) == (None, f"{READY}\n", 2)


def test_a_guest_that_always_hangs_is_lost(directories: Directories) -> None:
    hang = f"printf '{_STALL}\\n{_BUSY}\\n'"
    lost, _, boots = _boot(directories, hang, hang)
    assert (lost, boots) == (f"RCU stall: {_STALL}", 2)


def test_a_boot_past_its_deadline_is_a_hang(
    directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guests, "_BOOT_DEADLINE", 0.5)
    lost, _, boots = _boot(directories, "sleep 60", f"echo {READY}")
    assert (lost, boots) == (None, 2)


def test_a_guest_that_cannot_be_set_up_is_not_tried_again(
    directories: Directories,
) -> None:
    lost, _, boots = _boot(directories, "echo z3trace-guest: cannot mount it", "true")
    assert "cannot mount it" in (lost or "")
    assert boots == 1


def test_a_stall_that_is_taken_back_loses_nothing(directories: Directories) -> None:
    idle = "rcu: \\t1-...!: (8 ticks this GP) idle=64f0/0/0x0 fqs=1 (false positive?)"
    first = f"echo '{_STALL}'; sleep 0.06; printf '{idle}\\n'; sleep 0.3; echo {READY}"
    lost, console, boots = _boot(directories, first, "true")
    assert (lost, boots) == (None, 1)
    assert READY in console


def _watched(directories: Directories, monkeypatch: pytest.MonkeyPatch, said: str) -> str:
    """Why a guest that says *said* every 0.1 s is lost, or "" if it is not in a second."""
    monkeypatch.setattr(guests, "_SILENCE", 0.3)
    monkeypatch.setattr(guests, "_ANSWER", 0.3)
    script = (
        f"cd '{directories.private}'; while :; do printf '{said}' >> console.log; sleep 0.1; done"
    )
    guest = guests.Guest(["sh", "-c", script], directories)
    asked: list[str] = []
    monkeypatch.setattr(guest, "tell", asked.append)
    try:
        lost = guests.watch(guest, 30, [], lambda: time.monotonic() - guest.started > 1)
    finally:
        guest.kill()
    assert asked == ([] if said else ["ping"])
    return lost or ""


def test_a_guest_that_answers_nothing_is_lost(
    directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert guests.SILENT in _watched(directories, monkeypatch, "")


def test_a_guest_that_speaks_is_not_asked(
    directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _watched(directories, monkeypatch, "[1.0] a line\\n") == ""


def test_a_guest_ends_with_its_master(tmp_path: Path) -> None:
    """Killed, not asked: the guest must not stay behind."""
    for name in ("run", "private"):
        (tmp_path / name).mkdir()
    pid = tmp_path / "pid"
    code = (
        "import sys, time; from pathlib import Path; from z3trace.guest.process import Guest\n"
        "from z3trace.guest.share import Directories\n"
        "here = Path(sys.argv[1])\n"
        "Guest(['sh', '-c', f'echo $$ > {here}/new; mv {here}/new {here}/pid; sleep 60'],"
        " Directories(here / 'run', here / 'private'))\n"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, tmp_path]) as master:
        while not pid.exists():
            assert master.poll() is None
            time.sleep(0.05)
        process = Path("/proc") / pid.read_text().strip()
        assert process.exists()
        master.kill()
    for _ in range(100):
        if not process.exists() or "\nState:\tZ" in (process / "status").read_text():
            return
        time.sleep(0.05)
    pytest.fail("the guest stayed")


def test_the_line_stays_open_until_the_guest_has_heard(directories: Directories) -> None:
    """A serial line takes a byte at a time, and what QEMU has not read of a peer that is
    gone is lost."""
    code = (
        "import socket, sys, time\n"
        "server = socket.socket(socket.AF_UNIX); server.bind(sys.argv[1]); server.listen()\n"
        "print('there', flush=True)\n"
        "line, _ = server.accept(); word = b''\n"
        "while not word.endswith(b'\\n'):\n"
        "    time.sleep(0.05); word += line.recv(1); line.sendall(b'.')\n"
        "line.sendall(b'[1.0] z3trace-guest: interrupted\\r\\n')\n"
        "print(word, 'closed' if line.recv(1) == b'' else 'open', flush=True)"
    )
    guest = guests.Guest(["sleep", "60"], directories)
    command = [sys.executable, "-c", code, directories.private / "console"]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as qemu:
            assert qemu.stdout is not None
            assert qemu.stdout.readline() == "there\n"
            guest.tell("interrupt")
            assert qemu.stdout.readline() == "b'interrupt\\n' closed\n"
    finally:
        guest.kill()


def test_a_guest_that_does_not_answer_is_not_waited_for(
    directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guests, "_WORD", 0.2)
    guest = guests.Guest(["sleep", "60"], directories)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(directories.private / "console"))
        server.listen()
        began = time.monotonic()
        guest.tell("ping")
        guest.kill()
    assert time.monotonic() - began < 2
