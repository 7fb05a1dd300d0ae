"""What the host took, read from files as QEMU's threads and the guest's kernel have them."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from z3trace.data.model import HostTime
from z3trace.recording.host import HostClock, Look, between

STAT = "cpu  10 20 30 40 50 60 70 {} 90 100\ncpu0 1 2 3 4 5 6 7 8 9 10\n"


@pytest.fixture
def threads(tmp_path: Path) -> Path:
    """Two threads that are CPUs, with a delay of 500 and 700 ns, and one that is none."""
    names = {"11": "qemu-system-x86", "12": "CPU 0/TCG", "13": "CPU 1/TCG"}
    for number, (name, delay) in enumerate(zip(names.items(), (9000, 500, 700), strict=True)):
        thread = tmp_path / "task" / name[0]
        thread.mkdir(parents=True)
        (thread / "comm").write_text(f"{name[1]}\n")
        (thread / "schedstat").write_text(f"{number} {delay} 3\n")
    (tmp_path / "stat").write_text(STAT.format(8))
    return tmp_path / "task"


def test_the_delay_is_of_the_threads_that_are_cpus(threads: Path) -> None:
    clock = HostClock(threads, threads.parent / "stat")
    before = clock.read()
    assert (before.steal, before.delay, before.ran) == (80_000_000, 1200, 3)
    assert (before.idle, before.cpus) == (900_000_000, 2)
    (threads / "13/schedstat").write_text("1 1000 3\n")
    (threads.parent / "stat").write_text(STAT.format(9))
    after = clock.read()
    taken = between(before, after)
    assert (taken.steal, taken.delay) == (10_000_000, 300)
    clock.close()
    assert clock.read().delay is None


def test_on_a_real_host_nobody_tells_of_a_delay(tmp_path: Path) -> None:
    clock = HostClock(tmp_path / "none", tmp_path / "none")
    assert (clock.read().steal, clock.read().delay) == (None, None)
    for _ in range(100):
        assert between(clock.read(), clock.read()) == HostTime()


@pytest.mark.parametrize("text", ["", "1", "a b c"])
def test_what_is_no_count_is_none(threads: Path, text: str) -> None:
    (threads / "12/schedstat").write_text(text)
    (threads.parent / "stat").write_text(text)
    look = HostClock(threads, threads.parent / "stat").read()
    assert (look.steal, look.delay, look.ran, look.idle) == (None,) * 4


SECOND = 1_000_000_000
BEFORE = Look(clock=0, awake=0, cpus=2, steal=0, delay=0, ran=0, idle=0)


def _after(seconds: int, **changes: int | None) -> Look:
    ns = {name: value and value * SECOND // 10 for name, value in changes.items()}
    whole = {"clock": seconds * SECOND, "awake": seconds * SECOND, **ns}
    return replace(BEFORE, **whole)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parts", "paused"),
    [
        # Tenths of seconds, of two CPUs in three seconds.
        ({"ran": 40, "delay": 5, "idle": 15}, 0),
        # Both CPUs were stopped for a second; one of them would have idled.
        ({"ran": 20, "delay": 0, "idle": 30}, SECOND),
        ({"ran": 40, "delay": 0, "idle": 0}, 2 * SECOND),
        # Two counts that overlap are no pause that ends before it began.
        ({"ran": 60, "delay": 0, "idle": 15}, 0),
        # The machine was suspended, and its idle time went on.
        ({"ran": 40, "delay": 0, "idle": 20, "awake": 20}, 2 * SECOND),
        # Nothing but a suspension is known of a machine that is no guest of ours.
        ({"ran": None, "delay": None, "idle": 20, "awake": 20}, SECOND * (os.cpu_count() or 1)),
        ({"ran": None, "delay": None, "idle": 20}, None),
    ],
)
def test_time_that_nobody_accounts_for_was_a_pause(
    parts: dict[str, int | None], paused: int | None
) -> None:
    assert between(BEFORE, _after(3, **parts)).paused == paused
