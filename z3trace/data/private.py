"""What a recording keeps of its machine: as much as matters to who reads the figures.

Recordings are mailed around.  Directories of the host and most of what a kernel is booted
with tell of their owner, not of the measurement; ``--keep-paths`` keeps them.
"""

import re

from msgspec import structs

from z3trace.data.model import Origin, WorkloadResult

#: How the name of a kernel parameter begins that times, scheduling, memory or probes can
#: depend on.  All others are left out: disks, hosts, users and their secrets are among them.
_MATTERS = (
    *("mitigations", "spectre", "spec_", "l1tf", "mds", "tsx", "retbleed", "srbds", "mmio_stale"),
    *("gather_data", "reg_file_data", "nopti", "pti", "kpti", "nospec", "nosm", "noretpoline"),
    *("maxcpus", "nr_cpus", "isolcpus", "nohz", "rcu", "irqaffinity", "threadirqs", "skew_tick"),
    *("preempt", "tsc", "notsc", "clocksource", "hpet", "highres", "idle", "cpuidle", "cpufreq"),
    *("processor.", "intel_idle", "intel_pstate", "amd_pstate", "acpi_cpufreq", "numa", "mem="),
    *("transparent_hugepage", "hugepages", "default_hugepages", "zswap", "slab", "slub", "swap"),
    *("init_on_", "page_poison", "page_owner", "page_alloc", "debug_pagealloc", "kasan", "kfence"),
    *("kcsan", "lockdep", "prove_locking", "ftrace", "trace", "tp_printk", "kprobe", "lockdown"),
    *("security=", "selinux", "apparmor", "lsm", "audit", "nokaslr", "kaslr", "kvm", "no-kvm"),
    *("nopv", "cgroup", "psi", "watchdog", "nmi_watchdog", "nowatchdog", "nosoftlockup"),
    *("softlockup", "hung_task", "panic", "oops", "loglevel", "quiet", "debug", "sched_"),
)
#: Directories of the system, the same on every machine: what lies there tells of nobody.
_SYSTEM = r"(?:usr|bin|sbin|lib|lib32|lib64|proc|sys|dev|etc|boot)(?:/|\b)"
#: An absolute path with a directory in it, in quotes or up to what ends a word; not the rest
#: of a relative one, nor of an address.
_QUOTED = re.compile(rf"(['\"])/(?!{_SYSTEM})[^'\"\n]*/")
_PLAIN = re.compile(rf"(?<![\w.~/)\]])/(?!{_SYSTEM})(?:[^\s'\"/:,;=<>()\[\]|&]+/+)+")
_CUT = ".../"


def text(told: str) -> str:
    """*told* without the directories of absolute paths; those of the system stay."""
    return _PLAIN.sub(_CUT, _QUOTED.sub(rf"\1{_CUT}", told))


def word(told: str) -> str:
    """The same of a word of a command, of which a path may be the whole, blanks and all."""
    if told.startswith("/") and not re.match(f"/{_SYSTEM}", told):
        head, _, name = told.rstrip("/").rpartition("/")
        return f"{_CUT}{name}" if head else told
    return text(told)


def parameters(command_line: str) -> str:
    """Of a kernel's command line what measurements can depend on, and how much is left out."""
    words = command_line.split()
    kept = [each for each in words if each.startswith(_MATTERS)]
    left_out = len(words) - len(kept)
    return " ".join([*kept, f"({left_out} left out)"] if left_out else kept)


def result(told: WorkloadResult) -> WorkloadResult:
    """How a workload ended, without the directories in what it said."""
    return structs.replace(told, output=text(told.output))


def origin(told: Origin) -> Origin:
    """How a recording came about, without what tells of its owner only."""
    environment = structs.replace(
        told.environment, command_line=parameters(told.environment.command_line)
    )
    return structs.replace(
        told,
        environment=environment,
        workload=text(told.workload),
        command=[word(each) for each in told.command],
    )
