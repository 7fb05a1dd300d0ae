"""The options of a kernel's configuration that a guest and the probes need, and what a given
configuration lacks of them.

They are written for a kernel that has nothing else (``make allnoconfig``): what stands here
boots, shows its host's files to the guest, and can be traced.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

#: *guest*: without it a kernel does not boot, or sees no file of its host; *probes*: without
#: it nothing can be traced; *better*: a program or a figure does without, for a price.
Group = Literal["guest", "probes", "better"]


@dataclass(frozen=True)
class Option:
    """One option: what it is for, whether a module will do, and what other options serve as
    well."""

    name: str
    group: Group
    purpose: str
    module: bool = False
    instead: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"CONFIG_{self.name}"


@dataclass(frozen=True)
class Lacking:
    """An option that a configuration does not have as it should: *has* is ``n`` or ``m``."""

    option: Option
    has: str

    @property
    def said(self) -> str:
        missing = "is a module and must be built in" if self.has == "m" else "is not set"
        return f"{self.option.key} {missing}: {self.option.purpose}"


def _rows(group: Group, purpose: str, *names: str, module: bool = False) -> list[Option]:
    return [Option(name, group, purpose, module) for name in names]


_9P = "9p, by which a guest sees the files of its host"

#: In the order in which they are printed.
OPTIONS: tuple[Option, ...] = (
    *_rows("guest", "QEMU's machine", "64BIT", "SMP", "PCI", "ACPI"),
    *_rows("guest", "QEMU boots the ELF kernel as it is", "PVH"),
    *_rows("guest", "asked for by PVH", "HYPERVISOR_GUEST", "PARAVIRT"),
    *_rows("guest", "a console on the serial line", "TTY", "SERIAL_8250", "SERIAL_8250_CONSOLE"),
    *_rows("guest", "the first programs, and scripts", "BLK_DEV_INITRD", "BINFMT_ELF"),
    *_rows("guest", "the first programs, and scripts", "BINFMT_SCRIPT"),
    *_rows("guest", "QEMU's devices", "VIRTIO_MENU", "VIRTIO_PCI", module=True),
    *_rows("guest", _9P, "NET", "INET", "NETWORK_FILESYSTEMS"),
    *_rows("guest", _9P, "NET_9P", "NET_9P_VIRTIO", "9P_FS", module=True),
    *_rows("guest", "a guest writes over the files of its host", "OVERLAY_FS", module=True),
    *_rows("guest", "file systems of a running system", "PROC_FS", "SYSFS", "TMPFS", "SHMEM"),
    *_rows("guest", "file systems of a running system", "DEVTMPFS"),
    *_rows("guest", "the end of a guest, which asks for its power to be cut", "MAGIC_SYSRQ"),
    *_rows("guest", "what Python and the shell ask of a kernel", "MULTIUSER", "FUTEX", "EPOLL"),
    *_rows("guest", "what Python and the shell ask of a kernel", "POSIX_TIMERS", "UNIX98_PTYS"),
    *_rows("guest", "what Python and the shell ask of a kernel", "EVENTFD", "SIGNALFD"),
    *_rows("guest", "what Python and the shell ask of a kernel", "TIMERFD", "PRINTK"),
    *_rows("guest", "what Python and the shell ask of a kernel", "FILE_LOCKING"),
    *_rows("guest", "local sockets", "UNIX", module=True),
    *_rows("probes", "workloads and targets are modules", "MODULES", "MODULE_UNLOAD"),
    *_rows("probes", "names and addresses of functions", "KALLSYMS", "KALLSYMS_ALL"),
    *_rows("probes", "probes at call sites", "KPROBES", "PERF_EVENTS", "KPROBE_EVENTS"),
    *_rows("probes", "trampolines and events", "FTRACE", "FUNCTION_TRACER", "DYNAMIC_FTRACE"),
    *_rows("probes", "the programs of the probes", "BPF_SYSCALL", "BPF_JIT", "BPF_EVENTS"),
    *_rows("probes", "types of the kernel's structures", "DEBUG_KERNEL"),
    Option(
        *("DEBUG_INFO_DWARF4", "probes", "types of the kernel's structures"),
        instead=("DEBUG_INFO_DWARF5", "DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT"),
    ),
    *_rows("probes", "types of the kernel's structures", "DEBUG_INFO_BTF"),
    *_rows("probes", "workloads and timed builds are driven through debugfs", "DEBUG_FS"),
    *_rows("better", "unlocks are calls, so that holds are seen", "PREEMPT_DYNAMIC"),
    *_rows("better", "unlocks are calls, so that holds are seen", "UNINLINE_SPIN_UNLOCK"),
    *_rows("better", "types of modules", "DEBUG_INFO_BTF_MODULES"),
    *_rows("better", "the text of the kernel, as it is now", "PROC_KCORE"),
    *_rows("better", "probes that are jumps and no traps", "OPTPROBES"),
    *_rows("better", "waits of less than a tick", "HIGH_RES_TIMERS"),
    *_rows("better", "the configuration can be asked for", "IKCONFIG", "IKCONFIG_PROC"),
    *_rows("better", "a clock of its own under KVM", "KVM_GUEST"),
    *_rows("better", "a lock that is held and not released is told", "SOFTLOCKUP_DETECTOR"),
    *_rows("better", "the targets that z3trace brings", "SWAP", "BLOCK", "COMPACTION"),
    *_rows("better", "the targets that z3trace brings", "ZSMALLOC", module=True),
    *_rows("better", "the targets that z3trace brings (until 6.14)", "Z3FOLD", module=True),
    *_rows("better", "the targets that z3trace brings (until 6.17)", "ZPOOL"),
    *_rows("better", "the workload zswap", "ZSWAP", "CGROUPS", "MEMCG", "CRYPTO", "CRYPTO_LZO"),
    *_rows("better", "the workload zram", "BLK_DEV", "ZRAM", "BLK_DEV_NULL_BLK", module=True),
    *_rows("better", "the workload zram", "VIRTIO_BLK", module=True),
)

#: What ``make allnoconfig`` takes for no, and everybody else for yes: without it what only
#: experts are asked for has its usual value.
_NO = ("EXPERT", "EMBEDDED", "DEBUG_INFO_NONE", "DEBUG_INFO_REDUCED", "DEBUG_INFO_SPLIT")
_MODULES = ("ZRAM", "BLK_DEV_NULL_BLK")
#: Option -> what some versions ask for before it.
_BEFORE = {"Z3FOLD": "Z3FOLD_DEPRECATED"}


def text() -> str:
    """The fragment, as ``scripts/kconfig/merge_config.sh`` and KCONFIG_ALLCONFIG read it."""
    lines = ["# What a guest of z3trace and its probes need, for 'make allnoconfig' and more."]
    purpose = ""
    for option in OPTIONS:
        if option.purpose != purpose:
            purpose = option.purpose
            lines.append(f"# {option.group}: {purpose}")
        if option.name in _BEFORE:
            lines.append(f"CONFIG_{_BEFORE[option.name]}=y")
        lines.append(f"{option.key}={'m' if option.name in _MODULES else 'y'}")
    lines += ["# not wanted", *(f"# CONFIG_{name} is not set" for name in _NO)]
    return "\n".join(lines) + "\n"


def lacking(config: Mapping[str, str], *groups: Group) -> list[Lacking]:
    """What *config* (as of ``kconfig.parsed``) has not, of some groups or of all."""
    return [
        Lacking(option, _value(config, option))
        for option in OPTIONS
        if (not groups or option.group in groups) and not _has(config, option)
    ]


def _value(config: Mapping[str, str], option: Option) -> str:
    return "m" if config.get(option.key) == "m" else "n"


def _has(config: Mapping[str, str], option: Option) -> bool:
    enough = ("y", "m") if option.module else ("y",)
    keys = (option.key, *(f"CONFIG_{name}" for name in option.instead))
    return any(config.get(key) in enough for key in keys)
