"""KVM or emulation: find out once for a machine, by a guest that gets through.

A KVM device that is there may still hang every guest (seen on nested
hypervisors), so nothing less than a command run in a guest counts.
"""

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from z3trace import paths
from z3trace.errors import UsageError
from z3trace.guest.process import Guest, watch
from z3trace.guest.qemu import Options, qemu_command
from z3trace.guest.share import directories
from z3trace.kernels.fetch import Kernel, Say

_TRIAL_SECONDS = 20.0


def _machine() -> str:
    """A fingerprint of what the finding depends on: machine, its kernel, its CPU."""
    parts = [os.uname().release]
    for name in ("/etc/machine-id", "/proc/cpuinfo"):
        try:
            text = Path(name).read_text()
        except OSError:
            continue
        lines = [line for line in text.splitlines() if not line.startswith("cpu MHz")]
        parts.append("\n".join(line for line in lines if "bogomips" not in line))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _memory() -> Path:
    return paths.cache() / "accelerator.json"


def _remembered() -> str | None:
    try:
        found: Any = json.loads(_memory().read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or found.get("machine") != _machine():
        return None
    value = str(found.get("accelerator"))
    return value if value in ("kvm", "tcg") else None


def _reaches_user_space(kernel: Kernel, options: Options) -> bool:
    """Whether a KVM guest gets to its first command in time."""
    with directories() as where:
        (where.run / "command.sh").write_text("exit 0\n")
        guest = Guest(qemu_command(kernel, replace(options, share=None), where, kvm=True), where)
        try:
            watch(guest, _TRIAL_SECONDS, [], guest.is_ready)
            return guest.is_ready()
        finally:
            guest.kill()


def choose(kernel: Kernel, options: Options, say: Say) -> str:
    """``kvm`` or ``tcg`` for guests on this machine; a finding is remembered."""
    if options.accelerator in ("kvm", "tcg"):
        return options.accelerator
    if options.accelerator != "auto":
        raise UsageError(f"{options.accelerator!r} is not an accelerator", "auto, kvm or tcg")
    known = _remembered()
    if known:
        return known
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        found, why = "tcg", "there is no usable KVM device"
    else:
        say(f"trying a KVM guest, for at most {_TRIAL_SECONDS:.0f} s (once on this machine)")
        if _reaches_user_space(kernel, options):
            found, why = "kvm", ""
        else:
            found, why = "tcg", f"a KVM guest did not come up within {_TRIAL_SECONDS:.0f} s"
    if why:
        say(f"guests are emulated (TCG), which is slower: {why}")
    paths.write_atomic(_memory(), json.dumps({"machine": _machine(), "accelerator": found}))
    return found
