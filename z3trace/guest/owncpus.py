"""CPUs of the host that a guest's CPUs have for themselves.

Where the host has at least one CPU more than the guest, each of the guest's CPUs stays on
one of the host's, and the rest of QEMU and z3trace itself stay away from these.  With as
many CPUs on both sides there is nothing to be had (docs/measured.md): whatever else runs
on the host then meets a CPU that cannot move away from it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from z3trace import paths
from z3trace.guest.threads import threads


@contextmanager
def owncpus(process: int) -> Iterator[dict[int, int]]:
    """While the block runs: thread that is a CPU of the guest *process* -> the host's CPU
    that it has; empty where there are not enough."""
    cpus, others = threads(process)
    allowed = os.sched_getaffinity(0)
    with ExitStack() as stack:
        mine = _taken(sorted(allowed)[1:], len(cpus), stack) if cpus else []
        if not mine:
            yield {}
            return
        pinned = dict(zip(cpus, mine, strict=True))
        rest = allowed - set(mine)
        os.sched_setaffinity(0, rest)
        stack.callback(os.sched_setaffinity, 0, allowed)
        for thread in others:
            _keep(thread, rest)
        for thread, cpu in pinned.items():
            _keep(thread, {cpu})
        yield pinned


def _keep(thread: int, cpus: set[int]) -> None:
    # It may have ended, or be another user's.
    with suppress(OSError):
        os.sched_setaffinity(thread, cpus)


def _taken(free: list[int], wanted: int, stack: ExitStack) -> list[int]:
    """*wanted* CPUs that no other guest of this user has, or none; they are given back when
    *stack* is unwound, and by the kernel if z3trace is killed."""
    directory = paths.cache() / "cpus"
    directory.mkdir(exist_ok=True)
    with ExitStack() as held:
        mine: list[int] = []
        for cpu in free:
            if len(mine) == wanted:
                break
            lock = held.enter_context((directory / str(cpu)).open("w"))
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                mine.append(cpu)
        if len(mine) < wanted:
            return []
        stack.enter_context(held.pop_all())
        return mine
