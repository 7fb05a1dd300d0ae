"""Can this kernel be traced, by this user, on this machine?"""

import os
from pathlib import Path

from z3trace.errors import CannotTraceError

_NEED = {
    "CONFIG_KPROBES": "kprobes",
    "CONFIG_BPF_SYSCALL": "BPF",
    "CONFIG_BPF_EVENTS": "BPF programs on kprobes",
}


def kernel_config(release: str | None = None) -> dict[str, str]:
    """The running kernel's configuration, as far as it can be read; else {}."""
    import gzip

    release = release or os.uname().release
    for path in (
        Path("/proc/config.gz"),
        Path(f"/boot/config-{release}"),
        Path(f"/lib/modules/{release}/build/.config"),
    ):
        try:
            data = path.read_bytes()
        except OSError:
            continue
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode(errors="replace")
        pairs = (line.partition("=") for line in text.splitlines() if line.startswith("CONFIG_"))
        return {key: value for key, _, value in pairs}
    return {}


def require_traceable() -> None:
    """CannotTraceError, saying what is missing, unless probes can be attached here."""
    if not Path("/sys/bus/event_source/devices/kprobe").exists():
        config = kernel_config()
        missing = [name for name in _NEED if config and config.get(name) != "y"]
        what = f" ({', '.join(missing)} not set)" if missing else ""
        raise CannotTraceError(
            f"this kernel has no kprobes{what}", "'z3trace vm' boots one that has them"
        )
    if os.geteuid() != 0:
        raise CannotTraceError(
            "tracing needs root", "run it with sudo, or in a guest with 'z3trace vm'"
        )
    if not Path("/sys/kernel/tracing/events").exists():
        raise CannotTraceError(
            "tracefs is not mounted", "mount -t tracefs tracefs /sys/kernel/tracing"
        )
