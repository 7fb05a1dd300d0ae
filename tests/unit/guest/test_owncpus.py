"""A guest's threads on CPUs of their own; a process whose threads have the names that QEMU
gives stands in for it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from z3trace.guest import threads
from z3trace.guest.owncpus import owncpus

HAVE = sorted(os.sched_getaffinity(0))
_CODE = """
import sys, threading, time
def named(name):
    with open(f"/proc/self/task/{threading.get_native_id()}/comm", "w") as comm:
        comm.write(name)
    time.sleep(60)
for number in reversed(range(int(sys.argv[1]))):
    threading.Thread(target=named, args=(f"CPU {number}/TCG",), daemon=True).start()
threading.Thread(target=named, args=("worker",), daemon=True).start()
time.sleep(0.3)
print("there", flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").mkdir(mode=0o700)
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "cache"))


@contextmanager
def _guest(cpus: int) -> Iterator[int]:
    """The process that started one with so many CPUs, as bubblewrap does."""
    words = ["sh", "-c", '"$@"; true', "sh", sys.executable, "-c", _CODE, str(cpus)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        yield process.pid
    finally:
        os.killpg(process.pid, 9)
        process.communicate()


def test_threads_are_told_by_their_names_in_the_order_of_the_cpus() -> None:
    with _guest(3) as process:
        cpus, others = threads.threads(process)
    names = [Path(f"/proc/{process}/task/{process}").name, *map(str, others)]
    assert len(cpus) == 3
    # Started last to first.
    assert cpus == sorted(cpus, reverse=True)
    assert str(process) in names
    assert len(others) == 3


@pytest.mark.skipif(len(HAVE) < 2, reason="one CPU cannot be shared out")
def test_each_cpu_of_the_guest_has_one_of_the_hosts_and_nobody_else_has_it() -> None:
    with _guest(len(HAVE) - 1) as process:
        cpus, others = threads.threads(process)
        with owncpus(process) as pinned:
            assert list(pinned) == cpus
            assert sorted(pinned.values()) == HAVE[1:]
            for thread in cpus:
                assert os.sched_getaffinity(thread) == {pinned[thread]}
            for thread in (*others, 0):
                assert os.sched_getaffinity(thread) == {HAVE[0]}
        assert os.sched_getaffinity(0) == set(HAVE)


def test_where_there_are_not_enough_nothing_is_pinned() -> None:
    with _guest(len(HAVE)) as process, owncpus(process) as pinned:
        assert pinned == {}
        for thread in (*threads.threads(process)[0], 0):
            assert os.sched_getaffinity(thread) == set(HAVE)


@pytest.mark.skipif(len(HAVE) < 2, reason="one CPU cannot be shared out")
def test_two_guests_do_not_get_the_same_cpu() -> None:
    count = len(HAVE) - 1
    with _guest(count) as first, _guest(count) as second:
        with owncpus(first) as pinned:
            assert pinned
            command = [
                sys.executable,
                "-c",
                "import sys; from z3trace.guest.owncpus import owncpus",
            ]
            command[-1] += "\nwith owncpus(int(sys.argv[1])) as pinned: print(pinned)"
            # Another z3trace, which may run anywhere.
            said = subprocess.run(
                [*command, str(second)],
                capture_output=True,
                text=True,
                check=True,
                preexec_fn=lambda: os.sched_setaffinity(0, HAVE),
            )
            assert said.stdout == "{}\n"
        # They are free again.
        with owncpus(second) as pinned:
            assert pinned


def test_a_process_that_has_ended_has_no_threads() -> None:
    with subprocess.Popen(["true"]) as process:
        pass
    assert threads.threads(process.pid) == ([], [])
    with owncpus(process.pid) as pinned:
        assert pinned == {}
