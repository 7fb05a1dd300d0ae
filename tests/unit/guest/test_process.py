"""How a guest's process is watched; a shell script stands in for QEMU."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from z3trace.guest import owntime
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
        lost = guests.watch(guest, 30, [], lambda: guest.age() > 1)
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


class _Clock:
    """The host's clock and what it says of the guest, as a test wants them."""

    def __init__(self, guest: guests.Guest, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = self.delay = 0.0
        self.stopped = False
        fake = SimpleNamespace(monotonic=lambda: self.now)
        monkeypatch.setattr(owntime, "time", fake)
        monkeypatch.setattr(guests, "time", fake)
        monkeypatch.setattr(
            owntime, "_look", lambda _: owntime._Threads({1: int(self.delay * 1e9)}, self.stopped)
        )
        self.guest = guest
        guest.lived = owntime.OwnTime(guest.number)

    def pass_by(self, seconds: int, *, waited: float = 0.0) -> None:
        for _ in range(seconds):
            self.now += 1
            self.delay += waited
            self.guest.lived()


@pytest.fixture
def silent(directories: Directories) -> Iterator[guests.Guest]:
    guest = guests.Guest(["sleep", "60"], directories)
    yield guest
    guest.kill()


def test_a_deadline_counts_no_time_that_a_busy_host_took(
    silent: guests.Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = _Clock(silent, monkeypatch)
    for _ in range(100):
        clock.pass_by(1, waited=0.7)
        assert silent.overdue(31) == ""
    assert silent.lived() == pytest.approx(30)
    clock.pass_by(2)
    assert silent.overdue(31) == "the guest passed its deadline of 31 s"


def test_a_stopped_guest_grows_no_older(
    silent: guests.Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = _Clock(silent, monkeypatch)
    clock.pass_by(5)
    assert silent.lived() == pytest.approx(5)
    clock.stopped = True
    for _ in range(100):
        clock.pass_by(1)
        assert silent.overdue(11) == ""
    clock.stopped = False
    clock.pass_by(7)
    assert silent.overdue(11) == "the guest passed its deadline of 11 s"


def test_a_watch_that_was_stopped_itself_counts_nothing(
    silent: guests.Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = _Clock(silent, monkeypatch)
    clock.pass_by(5)
    clock.now += 600
    assert silent.overdue(60) == ""
    assert silent.lived() == pytest.approx(5)


def test_a_host_that_gives_nothing_is_not_waited_for_without_end(
    silent: guests.Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = _Clock(silent, monkeypatch)
    clock.stopped = True
    for _ in range(100):
        clock.pass_by(1)
        assert silent.overdue(10) == ""
    clock.pass_by(1)
    assert silent.overdue(10) == (
        "in 101 s its host left the guest 0 s of the 10 s up to its deadline"
    )


@pytest.mark.parametrize(
    ("said", "stopped", "lost"),
    [
        (f"{_STALL}\n{_BUSY}\n", True, False),
        (f"{_STALL}\n{_BUSY}\n", False, True),
        ("Kernel panic - not syncing: x\n", True, True),
    ],
)
def test_a_hang_right_after_a_stop_is_none(
    said: str,
    stopped: bool,
    lost: bool,
    silent: guests.Guest,
    directories: Directories,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = _Clock(silent, monkeypatch)
    clock.stopped = stopped
    clock.pass_by(40)
    clock.stopped = False
    clock.pass_by(5)
    (directories.private / "console.log").write_text(said)
    assert silent.console.grew()
    silent.excuse()
    assert silent.is_lost() == lost
    # It is told of all the same, and a guest that hangs says it again.
    assert silent.console.health.symptoms
    clock.pass_by(60)
    with (directories.private / "console.log").open("a") as console:
        console.write(said)
    assert silent.console.grew()
    silent.excuse()
    assert silent.is_lost()


def test_a_guest_that_somebody_stops_is_not_lost(
    directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real process, really stopped: it would have been silent, and past its deadline."""
    monkeypatch.setattr(owntime, "_EVERY", 0.05)
    monkeypatch.setattr(guests, "_SILENCE", 0.3)
    monkeypatch.setattr(guests, "_ANSWER", 0.3)
    guest = guests.Guest(["sh", "-c", "exec sleep 60"], directories)
    monkeypatch.setattr(guest, "tell", lambda _: None)
    try:
        os.killpg(guest.number, signal.SIGSTOP)
        assert guests.watch(guest, 1, [], lambda: guest.age() > 3) is None
        os.killpg(guest.number, signal.SIGCONT)
        assert guests.SILENT in (guests.watch(guest, 30, [], lambda: False) or "")
    finally:
        guest.kill()


def test_a_guest_that_shares_its_cpu_lives_slower(
    directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four that want one CPU: each lives a quarter of the time."""
    monkeypatch.setattr(owntime, "_EVERY", 0.1)
    cpu = str(min(os.sched_getaffinity(0)))
    spin = ["taskset", "-c", cpu, "sh", "-c", "while :; do :; done"]
    others = [subprocess.Popen(spin) for _ in range(3)]
    guest = guests.Guest(spin, directories)
    try:
        while guest.age() < 4:
            guest.lived()
            time.sleep(0.1)
        # Others may take their part of that CPU, too.
        assert guest.lived() < 0.6 * guest.age()
        assert guest.overdue(3) == ""
    finally:
        guest.kill()
        for other in others:
            other.kill()
            other.wait()
