"""Whose kprobe events are whose, by made-up processes and real ones."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from z3trace.bpf import groups
from z3trace.bpf.groups import Owner

_DEFINITIONS = """\
p:z3trace_f_10_500_0badcafe/lock z3fold:z3fold_alloc+16
p:z3trace_f_10_500_0badcafe/lock z3fold:z3fold_free+8
r4096:z3trace_f_10_500_0badcafe/return_0 0xffffffffc0401000
p:z3trace_77/lock z3fold:z3fold_alloc+16
p:kprobes/z3trace_f_10_500_0badcafe vfs_read
p:other/lock vfs_read
"""


class Processes:
    """A made-up /proc: *me* has number 10 and started at 500."""

    me = Owner(namespace=0xF, pid=10, start=500)

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        (directory / "self").symlink_to("10")

    def add(self, pid: int, start: int, state: str = "S") -> None:
        """A process whose name looks like the fields behind it."""
        (self._directory / str(pid)).mkdir()
        fields = f"{pid} (a) Z 1 (b) {state} " + " ".join(["0"] * 18) + f" {start} 0 0\n"
        (self._directory / str(pid) / "stat").write_text(fields)


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Processes:
    monkeypatch.setattr(groups, "_PROC", tmp_path)
    return Processes(tmp_path)


def test_only_our_groups_are_listed_with_each_event_once() -> None:
    assert groups.groups(_DEFINITIONS) == {
        "z3trace_f_10_500_0badcafe": ["lock", "return_0"],
        "z3trace_77": ["lock"],
    }


def test_a_name_says_who_made_it_and_is_never_made_twice() -> None:
    names = {groups.new_name(Processes.me) for _ in range(100)}
    assert len(names) == 100
    assert {groups.owner_of(name) for name in names} == {Processes.me}
    # What tracefs takes as a name: letters, digits, underscores, 63 of them.
    assert all(re.fullmatch(r"[A-Za-z_]\w{,62}", name, re.A) for name in names)


def test_a_name_of_large_numbers_is_not_too_long() -> None:
    assert len(groups.new_name(Owner(2**32 - 1, 2**22, 10**13))) < 64


@pytest.mark.parametrize(
    "name",
    ["z3trace_77", "z3trace_f_10_500", "z3trace_f_10_500_0badcafe_", "z3trace_g_1_1_00000000"],
)
def test_another_name_says_nothing(name: str, processes: Processes) -> None:
    assert groups.owner_of(name) is None
    assert groups.judged(name, processes.me) == "unknown"


def _judged(owner: Owner, processes: Processes) -> str:
    return groups.judged(groups.new_name(owner), processes.me)


def test_a_process_that_runs_is_alive(processes: Processes) -> None:
    processes.add(20, 700)
    assert _judged(Owner(0xF, 20, 700), processes) == "alive"


def test_a_number_that_was_given_to_another_process_is_a_dead_ones(processes: Processes) -> None:
    processes.add(20, 900)
    assert _judged(Owner(0xF, 20, 700), processes) == "dead"
    assert _judged(Owner(0xF, 21, 700), processes) == "dead"


def test_a_process_that_nobody_has_waited_for_is_dead(processes: Processes) -> None:
    processes.add(20, 700, state="Z")
    assert _judged(Owner(0xF, 20, 700), processes) == "dead"


def test_a_process_of_another_namespace_cannot_be_judged(processes: Processes) -> None:
    assert _judged(Owner(0xE, 20, 700), processes) == "unknown"


def test_with_a_proc_of_another_namespace_nothing_can_be_judged(
    processes: Processes, tmp_path: Path
) -> None:
    (tmp_path / "self").unlink()
    (tmp_path / "self").symlink_to("4711")
    assert _judged(Owner(0xF, 20, 700), processes) == "unknown"


def test_a_real_process_is_alive_until_it_ends() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    status = groups._status(str(child.pid))
    assert status is not None
    me = groups.this_process()
    name = groups.new_name(Owner(me.namespace, child.pid, status[1]))
    assert me.pid == os.getpid()
    assert groups.judged(groups.new_name(me), me) == "alive"
    assert groups.judged(name, me) == "alive"
    child.kill()
    child.wait()
    assert groups.judged(name, me) == "dead"
