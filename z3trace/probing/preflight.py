"""Can this kernel be traced, by this user, on this machine?"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from z3trace.errors import CannotTraceError

#: Where the kernel's files are looked for; tests make a tree of their own.
_ROOT = Path("/")
State = Literal["ok", "missing", "note"]
_KPROBES = "sys/bus/event_source/devices/kprobe"
_NEED = {
    "CONFIG_KPROBES": "kprobes",
    "CONFIG_BPF_SYSCALL": "BPF",
    "CONFIG_BPF_EVENTS": "BPF programs on kprobes",
    "CONFIG_KPROBE_EVENTS": "kprobe events",
}


@dataclass(frozen=True)
class Check:
    """One thing a recording needs (*missing*: none can be made) or should know (*note*)."""

    name: str
    state: State
    said: str
    hint: str = ""


def kernel_config(release: str | None = None) -> dict[str, str]:
    """The running kernel's configuration, as far as it can be read; else {}."""
    import gzip

    release = release or os.uname().release
    for path in (
        _ROOT / "proc/config.gz",
        _ROOT / f"boot/config-{release}",
        _ROOT / f"lib/modules/{release}/build/.config",
    ):
        try:
            data = path.read_bytes()
        except OSError:
            continue
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode(errors="replace")
        pairs = (line.partition("=") for line in text.splitlines() if line.startswith("CONFIG_"))
        return {key: value for key, _, value in pairs}
    return {}


def _has(path: str) -> bool:
    return (_ROOT / path).exists()


def _kprobes(config: dict[str, str]) -> Check:
    if _has(_KPROBES):
        return Check("kprobes", "ok", "there")
    missing = [name for name in _NEED if config and config.get(name) != "y"]
    what = f" ({', '.join(missing)} not set)" if missing else ""
    hint = "'z3trace vm' boots one that has them"
    return Check("kprobes", "missing", f"this kernel has no kprobes{what}", hint)


def _privileges() -> Check:
    if os.geteuid() == 0:
        return Check("privileges", "ok", "root")
    hint = "run it with sudo, or in a guest with 'z3trace vm'"
    return Check("privileges", "missing", "tracing needs root", hint)


def _tracefs() -> Check:
    if not _has("sys/kernel/tracing/events"):
        hint = "mount -t tracefs tracefs /sys/kernel/tracing"
        return Check("tracefs", "missing", "tracefs is not mounted", hint)
    return Check("tracefs", "ok", "mounted")


def essential(config: dict[str, str]) -> Iterator[Check]:
    """What no recording can do without."""
    yield _kprobes(config)
    yield _privileges()
    yield _tracefs()


def _headers() -> Check:
    release = os.uname().release
    if _has(f"lib/modules/{release}/build") or _has("sys/kernel/kheaders.tar.xz"):
        return Check("headers", "ok", "there")
    said = f"no headers of {release}: the probes cannot be compiled"
    return Check("headers", "missing", said, f"install linux-headers-{release}")


def _bcc() -> Check:
    from importlib import util

    if util.find_spec("bcc"):
        return Check("bcc", "ok", "there")
    hint = "install python3-bpfcc, and use the distribution's python3"
    return Check("bcc", "missing", "this python has no bcc", hint)


def _types() -> Check:
    if _has("sys/kernel/btf/vmlinux"):
        return Check("BTF", "ok", "trampolines and lock functions can be used")
    said = "none: operations by kprobes alone, no --locks hybrid"
    return Check("BTF", "note", said)


def _lockdown() -> Check:
    try:
        text = (_ROOT / "sys/kernel/security/lockdown").read_text()
    except OSError:
        return Check("lockdown", "ok", "none")
    mode = text.partition("[")[2].partition("]")[0]
    if mode == "confidentiality":
        hint = "boot without lockdown=confidentiality"
        return Check("lockdown", "missing", "the kernel is locked down: no kprobes", hint)
    return Check("lockdown", "ok", mode or "none")


def _lock_config(config: dict[str, str]) -> Iterator[Check]:
    if not config:
        yield Check("configuration", "note", "the kernel's configuration cannot be read")
        return
    if config.get("CONFIG_PREEMPT_RT") == "y":
        said = "spinlocks are sleeping locks here: their call sites are not known"
        yield Check("PREEMPT_RT", "note", said)
    if config.get("CONFIG_UNINLINE_SPIN_UNLOCK") != "y":
        said = "unlocks may be inlined: then their sites are not seen, nor any hold"
        yield Check("UNINLINE_SPIN_UNLOCK", "note", said)
    else:
        yield Check("UNINLINE_SPIN_UNLOCK", "ok", "unlocks are calls")
    for name in ("DEBUG_SPINLOCK", "LOCKDEP"):
        if config.get(f"CONFIG_{name}") == "y":
            said = "locks are checked and slower: times are not those of a usual kernel"
            yield Check(name, "note", said)
    if config.get("CONFIG_OPTPROBES") != "y":
        yield Check("OPTPROBES", "note", "no probe can be a jump: each costs a trap")


def checks() -> list[Check]:
    """Everything about this kernel that decides what a recording can see."""
    config = kernel_config()
    general = [*essential(config), _headers(), _bcc(), _types(), _lockdown()]
    return [*general, *_lock_config(config)]


def require_traceable() -> None:
    """CannotTraceError, saying what is missing, unless probes can be attached here."""
    if _has(_KPROBES):
        config: dict[str, str] = {}
    else:
        config = kernel_config()
    for check in essential(config):
        if check.state == "missing":
            raise CannotTraceError(check.said, check.hint)
