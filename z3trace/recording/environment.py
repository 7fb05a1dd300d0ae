"""Facts of the machine and kernel that a recording is made on."""

import os
import platform
from pathlib import Path

from z3trace.data.model import Environment


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace").strip()
    except OSError:
        return ""


def _field(text: str, name: str) -> str:
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def virtualization(cpuinfo: str, product: str) -> str:
    """``none``, or the hypervisor; emulation is told from virtualization by the CPU's name."""
    if "TCG" in _field(cpuinfo, "model name"):
        return "QEMU TCG (emulated)"
    if "hypervisor" in _field(cpuinfo, "flags").split():
        return f"virtual machine ({product})" if product else "virtual machine"
    return "none"


def _preemption() -> str:
    words = _read("/sys/kernel/debug/sched/preempt").split()
    return next((word.strip("()") for word in words if word.startswith("(")), "")


def collect() -> Environment:
    """Read everything; what cannot be read stays empty."""
    cpuinfo = _read("/proc/cpuinfo")
    memory = _field(_read("/proc/meminfo"), "MemTotal").split()
    return Environment(
        kernel=platform.release(),
        kernel_version=_read("/proc/version"),
        machine=platform.machine(),
        cpu=_field(cpuinfo, "model name"),
        cpus=os.cpu_count() or 0,
        memory_kb=int(memory[0]) if memory else 0,
        virtualization=virtualization(cpuinfo, _read("/sys/class/dmi/id/product_name")),
        clocksource=_read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        preemption=_preemption(),
        command_line=_read("/proc/cmdline"),
        python=platform.python_version(),
        bcc=_bcc_version(),
    )


def _bcc_version() -> str:
    from importlib import metadata

    try:
        return metadata.version("bcc")
    except metadata.PackageNotFoundError:
        return ""
