"""Attach loaded BPF programs to the kernel and detach them: to kprobe events, functions,
the scheduler's switch and each CPU's clock."""

import ctypes
import os
import struct
import time
from collections.abc import Collection
from contextlib import suppress

from z3trace.bpf import libbpf
from z3trace.bpf.kcore import read_text
from z3trace.bpf.kprobes import EventGroup, Profile, jumps_to_come

_SYS_PERF_EVENT_OPEN = 298
_PERF_FLAG_FD_CLOEXEC = 8
_PERF_TYPE_SOFTWARE = 1
_PERF_TYPE_TRACEPOINT = 2
_PERF_COUNT_CPU_CLOCK = 0
_ATTR_SIZE = 128
_JUMP = b"\xe9"  # opcode
_LOOK_AGAIN = 0.05  # seconds

_libc = ctypes.CDLL(None, use_errno=True)


def _syscall(*arguments: object) -> int:
    result = _libc.syscall(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(result)


def _perf_event_open(kind: int, config: int, period: int = 1, cpu: int = 0) -> int:
    # struct perf_event_attr: type, size, config, sample period.
    attr = struct.pack("<IIQQ", kind, _ATTR_SIZE, config, period)
    packed = ctypes.c_char_p(attr.ljust(_ATTR_SIZE, b"\0"))
    return _syscall(_SYS_PERF_EVENT_OPEN, packed, -1, cpu, -1, _PERF_FLAG_FD_CLOEXEC)


class Attachments:
    """The programs of one run where they are attached; ``close`` detaches them all."""

    def __init__(self) -> None:
        self._fds: list[int] = []
        self._events = EventGroup()

    def define(self, event: str, place: str, *, on_return: bool = False) -> None:
        """As ``EventGroup.define``."""
        self._events.define(event, place, on_return=on_return)

    def enable(self, event: str, program: int) -> None:
        """Run a program at all addresses of *event*; nothing if it has none."""
        if event in self._events:
            fd = _perf_event_open(_PERF_TYPE_TRACEPOINT, self._events.number(event))
            self._fds.append(fd)
            self._fds.append(libbpf.link(program, fd, libbpf.PERF_EVENT))

    def trace(self, program: int, attach: int) -> None:
        """Run a program that was loaded for the entry or the exit of a function."""
        self._fds.append(libbpf.link(program, 0, attach))

    def trace_switches(self, program: int) -> None:
        """Run a program whenever the scheduler takes a CPU from a task."""
        self._fds.append(libbpf.raw_tracepoint(program, "sched_switch"))

    def tick(self, program: int, every: int, cpus: Collection[int]) -> None:
        """Run a program every so many ns on each of *cpus*, whatever runs there."""
        for cpu in cpus:
            fd = _perf_event_open(_PERF_TYPE_SOFTWARE, _PERF_COUNT_CPU_CLOCK, every, cpu)
            self._fds.append(fd)
            self._fds.append(libbpf.link(program, fd, libbpf.PERF_EVENT))

    def wait_for_jumps(self, addresses: Collection[int], limit: float = 4.0) -> set[int]:
        """Wait until the kernel has put jumps in the place of breakpoints at *addresses*,
        which it does some time after they were armed; those that have one by then.
        *limit* in seconds."""
        wanted = set(addresses) & jumps_to_come()
        jumps: set[int] = set()
        until = time.monotonic() + limit
        while wanted - jumps and time.monotonic() < until:
            time.sleep(_LOOK_AGAIN)
            ranges = {hex(at): (at, at + 1) for at in wanted - jumps}
            jumps |= {int(at, 16) for at, code in read_text(ranges).items() if code == _JUMP}
        return jumps

    def profile(self) -> dict[str, Profile]:
        """Hits and misses of every kprobe event so far."""
        return self._events.profile()

    def close(self) -> None:
        """Detach everything and remove the definitions."""
        fds, self._fds = self._fds, []
        for fd in reversed(fds):
            with suppress(OSError):
                os.close(fd)
        self._events.close()
