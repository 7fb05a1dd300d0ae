"""Attach loaded BPF programs to instructions of the kernel, and detach them.

Probes are defined through tracefs, in a group of this process's own, one event a
program: an event can stand at any number of addresses, so that attaching and
detaching pays the kernel's grace period for an event and not for an address
(0.3 s instead of 6 s for z3fold's lock call sites), and its profile counts hits
and misses, which tell how often the kernel skipped a program.  BCC 0.26 can do
neither.

Definitions in tracefs outlive a process: a guard process waits for the end of
this one, however it comes, and removes what is left.
"""

import ctypes
import errno
import os
import struct
import subprocess
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from z3trace.bpf import libbpf
from z3trace.bpf.kcore import read_text
from z3trace.errors import CannotTraceError

_SYS_PERF_EVENT_OPEN = 298
_PERF_FLAG_FD_CLOEXEC = 8
_PERF_TYPE_SOFTWARE = 1
_PERF_TYPE_TRACEPOINT = 2
_PERF_COUNT_CPU_CLOCK = 0
_ATTR_SIZE = 128
_TRACING = Path("/sys/kernel/tracing")
_DEBUG = Path("/sys/kernel/debug")
_JUMP = b"\xe9"
_MAX_ACTIVE = 4096  # threads that may be inside an operation at once

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Profile:
    """How often an event's probes were hit, and how often the kernel missed one."""

    hits: int
    missed: int


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


def _jumps_to_come() -> set[int]:
    """Addresses of the kprobes that are jumps or wait to become some."""
    try:
        text = (_DEBUG / "kprobes/list").read_text()
    except OSError:
        return set()
    return {int(line.split()[0], 16) for line in text.splitlines() if "[OPTIMIZED]" in line}


def refusal(error: OSError) -> str:
    """Why the kernel refused a probe, in words a user can act on."""
    known = {
        errno.EINVAL: "the kernel allows no probe here (notrace or blacklisted)",
        errno.ENOENT: "no such address in the running kernel",
        errno.EPERM: "not permitted",
        errno.EACCES: "not permitted",
        errno.EILSEQ: "not at an instruction's start",
        errno.EEXIST: "two probes of one kind at one address",
    }
    return known.get(error.errno or 0, os.strerror(error.errno or 0))


def _guard(group: str) -> subprocess.Popen[bytes]:
    """A process that removes the group's events when its input ends."""
    script = (
        f'read -r _; cd {_TRACING} || exit 1; for e in $(grep -o ":{group}/[a-z_0-9]*" '
        'kprobe_events | sort -u); do echo "-$e" >> kprobe_events; done'
    )
    return subprocess.Popen(
        ["/bin/sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


class Attachments:
    """The probes of one run: define, enable, read the profile, close."""

    def __init__(self) -> None:
        self.group = f"z3trace_{os.getpid()}"
        self._fds: list[int] = []
        self._events: list[str] = []
        try:
            self._definitions = os.open(_TRACING / "kprobe_events", os.O_WRONLY | os.O_APPEND)
        except OSError as error:
            raise CannotTraceError(
                "this kernel has no kprobe events",
                "it needs CONFIG_KPROBE_EVENTS, tracefs and root; 'z3trace vm' boots one",
            ) from error
        self._guard_process = _guard(self.group)

    def define(self, event: str, place: str, *, on_return: bool = False) -> None:
        """Add a probe to *event*; OSError when the kernel refuses.

        *place* is ``module:function+offset`` or an address; an event can have many
        of the first kind, one of the second (the kernel takes two for the same).
        """
        kind = f"r{_MAX_ACTIVE}" if on_return else "p"
        os.write(self._definitions, f"{kind}:{self.group}/{event} {place}\n".encode())
        if event not in self._events:
            self._events.append(event)

    def enable(self, event: str, program: int) -> None:
        """Run a program at all addresses of *event*; nothing if it has none."""
        if event in self._events:
            number = int((_TRACING / "events" / self.group / event / "id").read_text())
            fd = _perf_event_open(_PERF_TYPE_TRACEPOINT, number)
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
        which it does some time after they were armed; those that have one by then."""
        wanted = set(addresses) & _jumps_to_come()
        found: set[int] = set()
        until = time.monotonic() + limit
        while wanted - found and time.monotonic() < until:
            time.sleep(0.05)
            ranges = {hex(at): (at, at + 1) for at in wanted - found}
            found |= {int(at, 16) for at, code in read_text(ranges).items() if code == _JUMP}
        return found

    def profile(self) -> dict[str, Profile]:
        """Hits and misses of every event so far."""
        found: dict[str, Profile] = {}
        for line in (_TRACING / "kprobe_profile").read_text().splitlines():
            words = line.split()
            if len(words) == 3 and words[0] in self._events:
                before = found.get(words[0], Profile(0, 0))
                found[words[0]] = Profile(
                    before.hits + int(words[1]), before.missed + int(words[2])
                )
        return found

    def close(self) -> None:
        """Detach everything and remove the definitions."""
        fds, self._fds = self._fds, []
        for fd in reversed(fds):
            with suppress(OSError):
                os.close(fd)
        for event in self._events:
            with suppress(OSError):
                os.write(self._definitions, f"-:{self.group}/{event}\n".encode())
        self._events = []
        with suppress(OSError):
            os.close(self._definitions)
        if self._guard_process.stdin:
            self._guard_process.stdin.close()
        self._guard_process.wait()
