"""Can this kernel be traced, by this user, on this machine?"""

import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from z3trace.errors import CannotTraceError
from z3trace.kernels import kconfig

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
#: What tracing needs, and the bits of which one is enough (include/uapi/linux/capability.h).
_CAPABILITIES = {
    "CAP_BPF": 1 << 39 | 1 << 21,
    "CAP_PERFMON": 1 << 38 | 1 << 21,
    "CAP_SYSLOG": 1 << 34,
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
        _ROOT / f"lib/modules/{release}/config",
        _ROOT / f"lib/modules/{release}/build/.config",
    ):
        try:
            data = path.read_bytes()
        except OSError:
            continue
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode(errors="replace")
        return kconfig.parsed(text)
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
    if os.geteuid() != 0:
        hint = "run it with sudo, or in a guest with 'z3trace vm'"
        return Check("privileges", "missing", "tracing needs root", hint)
    lacking = [name for name, bits in _CAPABILITIES.items() if not _capabilities() & bits]
    if lacking:
        said = f"root here lacks {' and '.join(lacking)}"
        hint = "a container takes them away: start it with these, or run on the host"
        return Check("privileges", "missing", said, hint)
    if not _of_the_machine():
        said = "root here is root of a user namespace only: the kernel lets it trace nothing"
        return Check("privileges", "missing", said, "run it on the host, or in 'z3trace vm'")
    return Check("privileges", "ok", "root")


def _of_the_machine() -> bool:
    """Whether this process is in the first user namespace, where all users are who they are;
    so too if the kernel does not tell."""
    try:
        return (_ROOT / "proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]
    except OSError:
        return True


def _capabilities() -> int:
    """What this process may do, a bit each; all if the kernel does not tell."""
    try:
        status = (_ROOT / "proc/self/status").read_text()
    except OSError:
        return -1
    found = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.M)
    return int(found[1], 16) if found else -1


def _tracefs() -> Check:
    for directory in ("sys/kernel/tracing", "sys/kernel/debug/tracing"):
        if _has(f"{directory}/events"):
            said = "mounted" if directory == "sys/kernel/tracing" else "mounted below debugfs"
            return Check("tracefs", "ok", said)
    hint = "mount -t tracefs tracefs /sys/kernel/tracing"
    return Check("tracefs", "missing", "tracefs is not mounted", hint)


def _addresses() -> Check:
    """Whether the kernel tells where its functions are, to whoever may know."""
    try:
        with (_ROOT / "proc/kallsyms").open() as file:
            hidden = all(int(line.split()[0], 16) == 0 for line in itertools.islice(file, 16))
        restrict = (_ROOT / "proc/sys/kernel/kptr_restrict").read_text().strip()
    except (OSError, ValueError, IndexError):
        return Check("addresses", "note", "/proc/kallsyms cannot be read")
    if not hidden:
        return Check("addresses", "ok", "shown")
    if os.geteuid() == 0 and restrict == "2":
        said = "kptr_restrict is 2: addresses are hidden from root too"
        return Check("addresses", "missing", said, "sysctl kernel.kptr_restrict=1")
    said = f"/proc/kallsyms hides the addresses (kptr_restrict is {restrict})"
    return Check("addresses", "missing", said, "run it as root with CAP_SYSLOG")


def _lockdown() -> Check:
    hint = "boot without lockdown=confidentiality"
    try:
        text = (_ROOT / "sys/kernel/security/lockdown").read_text()
    except OSError:
        return _lockdown_unseen(hint)
    mode = text.partition("[")[2].partition("]")[0]
    if mode == "confidentiality":
        return Check("lockdown", "missing", "the kernel is locked down: no kprobes", hint)
    return Check("lockdown", "ok", mode or "none")


def _lockdown_unseen(hint: str) -> Check:
    """Without securityfs: a kernel that is locked down lets nobody open this file."""
    for directory in ("sys/kernel/tracing", "sys/kernel/debug/tracing"):
        try:
            os.close(os.open(_ROOT / directory / "kprobe_events", os.O_RDONLY | os.O_CLOEXEC))
        except PermissionError:
            if os.geteuid() == 0:
                said = "kprobe_events may not be opened: the kernel is probably locked down"
                return Check("lockdown", "missing", said, hint)
        except OSError:
            continue
    return Check("lockdown", "ok", "none")


#: What switches probes off while they are attached all the same: they would see nothing.
_SWITCHES = {
    "kprobes/enabled": (
        "sys/kernel/debug/kprobes/enabled",
        "kprobes are switched off",
        "echo 1 > /sys/kernel/debug/kprobes/enabled",
    ),
    "ftrace_enabled": (
        "proc/sys/kernel/ftrace_enabled",
        "ftrace is switched off: probes at the entry of functions see nothing",
        "sysctl kernel.ftrace_enabled=1",
    ),
}


def _is_off(path: str) -> bool:
    try:
        return (_ROOT / path).read_text().strip() == "0"
    except OSError:
        return False


def _switches() -> Iterator[Check]:
    for name, (path, said, hint) in _SWITCHES.items():
        if _is_off(path):
            yield Check(name, "missing", said, hint)


def essential(config: dict[str, str]) -> Iterator[Check]:
    """What no recording can do without."""
    yield _kprobes(config)
    yield _privileges()
    yield _tracefs()
    yield _lockdown()
    yield from _switches()
    yield _addresses()


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


def _debugfs() -> Check:
    if _has("sys/kernel/debug/kprobes/list"):
        return Check("debugfs", "ok", "mounted")
    hint = "mount -t debugfs debugfs /sys/kernel/debug"
    said = "not mounted: no zpool-bench, no timed builds"
    return Check("debugfs", "note", said, hint)


def _lock_config(config: dict[str, str]) -> Iterator[Check]:
    if not config:
        yield Check("configuration", "note", "the kernel's configuration cannot be read")
        return
    if config.get("CONFIG_PREEMPT_RT") == "y":
        said = "spinlocks are sleeping locks here; waits are seen at the call sites"
        yield Check("PREEMPT_RT", "note", said)
    elif config.get("CONFIG_UNINLINE_SPIN_UNLOCK") != "y":
        said = "unlocks may be inlined: then their sites are not seen, nor any hold"
        hint = "a timed build ('kernel build --timed') tells holds all the same"
        yield Check("UNINLINE_SPIN_UNLOCK", "note", said, hint)
    else:
        yield Check("UNINLINE_SPIN_UNLOCK", "ok", "unlocks are calls")
    for name in ("DEBUG_SPINLOCK", "LOCKDEP"):
        if config.get(f"CONFIG_{name}") == "y":
            said = "locks are checked and slower: times are not those of a usual kernel"
            yield Check(name, "note", said, "compare recordings of this kernel only")
    if config.get("CONFIG_OPTPROBES") != "y":
        yield Check("OPTPROBES", "note", "no probe can be a jump: each costs a trap")
    elif _is_off("proc/sys/debug/kprobes-optimization"):
        said = "probes are not made jumps: each costs a trap"
        yield Check("kprobes-optimization", "note", said, "sysctl debug.kprobes-optimization=1")


def checks() -> list[Check]:
    """Everything about this kernel that decides what a recording can see."""
    config = kernel_config()
    general = [*essential(config), _headers(), _bcc(), _types(), _debugfs()]
    return [*general, *_lock_config(config)]


def told_of_locks() -> list[str]:
    """What a recording of locks should know of this kernel, a line each."""
    return [
        f"{check.name}: {check.said}" + (f" ({check.hint})" if check.hint else "")
        for check in _lock_config(kernel_config())
        if check.state == "note" and check.name != "configuration"
    ]


def require_traceable() -> None:
    """CannotTraceError, saying what is missing, unless probes can be attached here."""
    if _has(_KPROBES):
        config: dict[str, str] = {}
    else:
        config = kernel_config()
    for check in essential(config):
        if check.state == "missing":
            raise CannotTraceError(check.said, check.hint)
