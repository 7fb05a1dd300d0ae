"""What the host took, read from files as QEMU's threads and the guest's kernel have them."""

from pathlib import Path

import pytest

from z3trace.data.model import HostTime
from z3trace.recording.host import HostClock, between

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
    assert before == HostTime(steal=80_000_000, delay=1200)
    (threads / "13/schedstat").write_text("1 1000 3\n")
    (threads.parent / "stat").write_text(STAT.format(9))
    after = clock.read()
    assert between(before, after) == HostTime(steal=10_000_000, delay=300)
    clock.close()
    assert clock.read().delay is None


def test_on_a_real_host_nobody_tells_of_a_delay(tmp_path: Path) -> None:
    clock = HostClock(tmp_path / "none", tmp_path / "none")
    assert clock.read() == HostTime()
    assert between(clock.read(), clock.read()) == HostTime()


@pytest.mark.parametrize("text", ["", "1", "a b c"])
def test_what_is_no_count_is_none(threads: Path, text: str) -> None:
    (threads / "12/schedstat").write_text(text)
    (threads.parent / "stat").write_text(text)
    assert HostClock(threads, threads.parent / "stat").read() == HostTime()
