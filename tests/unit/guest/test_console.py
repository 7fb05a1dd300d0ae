"""What a guest's console says of its health."""

import pytest

from z3trace.guest import console


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
    assert console.symptoms(f"[  1.0] ok\n[  2.0] {line}\n") == [(name, line, lost)]


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
    assert console.symptoms(said) == [("RCU stall", _STALL, lost)]


def test_an_ordinary_console_has_no_symptoms() -> None:
    assert console.symptoms("[ 0.1] Linux version 6.1\n[ 0.2] BUGgy word\n") == []
