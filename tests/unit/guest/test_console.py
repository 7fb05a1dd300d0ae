"""What a console says of a guest's health, whatever the guest writes there."""

import os
import time
from pathlib import Path

import pytest

from z3trace.guest import console
from z3trace.guest.console import Console, symptoms


@pytest.mark.parametrize(
    ("line", "name", "lost"),
    [
        (
            "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [zpool_bench/0:99]",
            "soft lockup",
            True,
        ),
        ("Kernel panic - not syncing: Fatal exception", "kernel panic", True),
        ("BUG: kernel NULL pointer dereference, address: 0", "kernel oops", True),
        ("Out of memory: Killed process 7 (x)", "out of memory", False),
    ],
)
def test_console_symptoms_are_named(line: str, name: str, lost: bool) -> None:
    assert symptoms(f"[  1.0] ok\n[  2.0] {line}\n") == [(name, line, lost)]


_STALL = "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:"
_IDLE = "rcu: \t{}-...!: (8 ticks this GP) idle=64f0/0/0x0 fqs=1 (false positive?)"
_BUSY = "rcu: \t{}-....: (5249 ticks this GP) idle=6554/1/0x4 softirq=74/74 fqs=2625"


@pytest.mark.parametrize(
    ("report", "lost"),
    [
        ([], True),
        ([_IDLE.format(1)], False),
        ([_IDLE.format(0), _IDLE.format(1), "(detected by 0, t=5252 jiffies)"], False),
        ([_BUSY.format(0)], True),
        ([_IDLE.format(0), _BUSY.format(1)], True),
        (["(detected by 0, t=5252 jiffies)", _IDLE.format(1)], True),
    ],
)
def test_a_stall_of_idle_processors_is_no_loss(report: list[str], lost: bool) -> None:
    said = "".join(f"[   24.876] {line}\r\n" for line in (_STALL, *report))
    assert symptoms(said) == [("RCU stall", _STALL, lost)]


def test_an_ordinary_console_has_no_symptoms() -> None:
    assert symptoms("[ 0.1] Linux version 6.1\n[ 0.2] BUGgy word\n") == []


@pytest.mark.parametrize(
    "line",
    [
        "rcu: INFO: rcu_x " + "detected " * 6000,
        "rcu: INFO: rcu_" * 4000,
        "INFO: task " * 5000,
        "INFO: task x blocked for more than " * 2000,
        "BUG: soft lockup " * 4000,
        "BUG: " * 20000,
        "rcu: \t" + "0" * 60000,
        "Kernel panic - not syncing" * 2000,
    ],
)
def test_a_long_line_takes_no_longer_than_its_length(line: str) -> None:
    """The first of these took a minute: each pattern now passes a line once."""
    began = time.process_time()
    symptoms(f"{line}\n" * 20)
    assert time.process_time() - began < 1


def test_a_console_is_read_once_and_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "READ_LIMIT", 10)
    path = tmp_path / "console.log"
    followed = Console(path)
    assert not followed.grew()
    path.write_text("[1.0] a line\n[2.0] Kernel panic - not syncing: x\nz3trace-guest: rea")
    parts = 0
    while followed.grew():
        parts += 1
    assert parts == 7
    assert [symptom.name for symptom in followed.health.symptoms] == ["kernel panic"]
    assert not followed.health.ready
    with path.open("a") as file:
        file.write("dy\r\n")
    assert followed.grew()
    assert followed.health.ready
    assert followed.health.lost


def test_a_line_without_an_end_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_bytes(b"x" * 5_000_000)
    followed = Console(path)
    while followed.grew():
        pass
    assert len(followed._rest) <= console.LINE_LIMIT


def test_a_flood_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    with path.open("wb") as file:
        file.truncate(console.CONSOLE_LIMIT + console.READ_LIMIT)
    followed = Console(path)
    while followed.grew() and not followed.flooded:
        pass
    assert followed.flooded
    assert len(followed.text()) <= 4 * console.LINE_LIMIT


def test_symptoms_are_bounded() -> None:
    assert len(symptoms("Oops: x\n" * 5000)) == 1000


def test_the_text_of_a_console_is_cut_and_obeys_nothing(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_bytes(b"[1.0] rcu: \t0-...!\r\n\x1b]0;title\x07\n" + b"x" * 100_000 + b"\nlast\n")
    text = Console(path).text()
    assert text.startswith("[1.0] rcu: \t0-...!\n\\x1b]0;title\\x07\n")
    assert max(map(len, text.split("\n"))) == console.LINE_LIMIT
    assert text.endswith("\nlast\n")


def test_a_console_that_is_none_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/etc/passwd")
    for name in ("fifo", "link"):
        followed = Console(tmp_path / name)
        assert not followed.grew()
        assert followed.text() == ""
