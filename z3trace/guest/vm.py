"""Run a command in a guest: a chosen kernel on the host's files, under QEMU.

virtme-ng makes the initramfs and the QEMU command; this module gives the guest
an init of its own that skips what a recording does not need, hands the command over
and its output back, and keeps what the guest wrote into the shared directory.
"""

import shlex
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from z3trace import paths
from z3trace.errors import GuestLostError
from z3trace.guest.accelerator import choose
from z3trace.guest.console import symptoms
from z3trace.guest.process import Follower, Guest, boot, watch
from z3trace.guest.qemu import Options, guest_programs, qemu_command
from z3trace.guest.share import directories
from z3trace.guest.spec import CheckSpec, PairSpec
from z3trace.kernels.fetch import Kernel, Say


@dataclass(frozen=True)
class Outcome:
    """How the command ended, and what the guest's console said."""

    status: int
    console: str
    boot_seconds: float
    warnings: tuple[str, ...]


def _script(command: Sequence[str], environment: Mapping[str, str], directory: Path) -> str:
    exports = {
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "PATH": f"{sysconfig.get_path('scripts')}:/usr/local/sbin:/usr/local/bin"
        ":/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "Z3TRACE_CACHE": str(paths.cache()),
        "Z3TRACE_PROGRAMS": str(guest_programs()),
        **environment,
    }
    lines = ["#!/bin/sh", *(f"export {k}={shlex.quote(v)}" for k, v in exports.items())]
    lines += [f"cd {shlex.quote(str(directory))}", f"exec {shlex.join(command)}", ""]
    return "\n".join(lines)


def _wait(guest: Guest, deadline: float, followers: Sequence[Follower]) -> str | None:
    try:
        return watch(guest, deadline, followers, lambda: False)
    except KeyboardInterrupt:
        guest.tell("interrupt")
        print("interrupting the guest's command", file=sys.stderr)  # noqa: T201
    return watch(guest, time.monotonic() - guest.started + 60, followers, lambda: False)


def run(
    kernel: Kernel,
    command: Sequence[str],
    options: Options,
    say: Say,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Boot *kernel*, run *command* as root in the shared directory, and return how it
    ended.  GuestLostError, with the console in its message, if the guest is lost."""
    kvm = choose(kernel, options, say) == "kvm"
    share = options.share.resolve()
    options = Options(**{**options.__dict__, "share": share})
    with directories(share) as (run_directory, private):
        (run_directory / "command.sh").write_text(_script(command, environment or {}, share))
        argv = qemu_command(kernel, options, run_directory, private, kvm=kvm)
        followers = [
            Follower(run_directory / "stdout", sys.stdout.buffer),
            Follower(run_directory / "stderr", sys.stderr.buffer),
        ]
        guest, lost = boot(argv, run_directory, private, say)
        boot_seconds = time.monotonic() - guest.started
        try:
            lost = lost or _wait(guest, options.deadline, followers)
        finally:
            guest.kill()
        for follower in followers:
            follower.poll()
        console, status = guest.console(), guest.status()
        if lost is None and status is None:
            lost = guest.failure()
        if lost:
            kept = share / "guest-console.log"
            paths.write_atomic(kept, console)
            tail = "\n".join(console.splitlines()[-25:])
            parts = ", ".join(str(part) for part in sorted(share.glob("*.z3t*.part")))
            saved = f"; recorded so far: {parts}" if parts else ""
            raise GuestLostError(
                f"the guest was lost: {lost}\n{tail}", f"whole console: {kept}{saved}"
            )
    warnings = tuple(f"{name}: {line}" for name, line, _ in symptoms(console))
    return Outcome(status or 0, console, boot_seconds, warnings)


def run_half(
    kernel: Kernel, verb: str, spec: PairSpec | CheckSpec, options: Options, say: Say
) -> Outcome:
    """Run the part of a verb that runs in the guest, *verb*, as *spec* says."""
    file = options.share / f".{verb}.json"
    paths.write_atomic(file, msgspec.json.encode(spec))
    try:
        return run(kernel, [sys.executable, "-m", "z3trace", verb, str(file)], options, say)
    finally:
        file.unlink(missing_ok=True)
