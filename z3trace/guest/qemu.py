"""The QEMU command line of a guest: virtme-ng's, with our console, kernel and disks."""

import os
import shlex
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from z3trace import paths, tools
from z3trace.errors import UsageError, Z3traceError
from z3trace.guest import box, share
from z3trace.guest.emulator import emulator
from z3trace.guest.share import Directories
from z3trace.kernels.fetch import Kernel

_DROPPED = {
    "-name",
    "-append",
    "-initrd",
    "-kernel",
    "-serial",
    "-chardev",
    "-monitor",
    "-mon",
    "-accel",
}


@dataclass(frozen=True)
class Options:
    """How to boot a guest.  Times in seconds, memory as QEMU understands it.

    *share*: a directory that the guest's command starts in and really writes to; without
    one it starts in the guest's own (``share.Directories.run``).  *boxed*: the guest sees
    no more of its host than it needs, see ``box``.  *stranger*: the guest runs a stranger's
    code, and gets what is kept from one guest to the next read-only.
    """

    cpus: int = 2
    memory: str = "2G"
    append: str = ""
    accelerator: str = "auto"
    deadline: float = 1800.0
    share: Path | None = None
    disks: tuple[Path, ...] = ()
    boxed: bool = False
    stranger: bool = False


def _base_command(kernel: Kernel, initramfs: Path, options: Options, qemu: list[str]) -> list[str]:
    """virtme-ng's QEMU command without its console, kernel and scripting parts."""
    script = Path(sysconfig.get_path("scripts")) / "virtme-run"
    argv: list[str] = [
        *([str(script)] if script.exists() else [tools.find("virtme-run")]),
        *("--kimg", str(kernel.packaged_image), "--mods", "auto", "--disable-kvm"),
        # Else it looks for a virtiofsd, and starts one that serves / where it is installed.
        "--force-9p",
        *("--cpus", str(options.cpus), "--memory", options.memory),
        *("--dry-run", "--show-command", "--save-initramfs", str(initramfs)),
    ]
    env = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
    result = subprocess.run(
        argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if result.returncode or not initramfs.exists():
        raise Z3traceError(f"virtme-ng cannot prepare a guest: {result.stderr.strip()[-500:]}")
    words = shlex.split(result.stdout.strip().splitlines()[-1])
    # Threads that are the guest's CPUs can be told by their names.
    kept = [*qemu, "-name", "z3trace,debug-threads=on"]
    position = 1
    while position < len(words):
        word = words[position]
        value = words[position + 1] if position + 1 < len(words) else ""
        pair = bool(value) and not value.startswith("-")
        if word not in _DROPPED and not (
            word == "-device"
            and value.startswith(("virtio-serial", "virtserial", "i6300esb", "virtconsole"))
        ):
            kept += [word, value] if pair else [word]
        position += 2 if pair else 1
    return kept


def guest_programs(kernel: Kernel) -> Path:
    """Where guests keep compiled programs, from one guest to the next; those of a kernel that
    a user built apart from all others: it may be a stranger's."""
    home = paths.cache() / "guest-programs"
    directory = home / f"own-{kernel.called}" if kernel.own else home
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _kernel_arguments(kernel: Kernel, options: Options, run: Path, *, kvm: bool) -> str:
    # Under emulation the default clock is a device that every reader queues
    # for; the emulated TSC is one and the same counter on all CPUs.
    clock = [] if kvm else ["tsc=reliable", "clocksource=tsc"]
    words = [
        *("console=ttyS0", "panic=-1", "oops=panic", "loglevel=5", "rcupdate.rcu_expedited=1"),
        *clock,
        *([f"Z3T_SHARE={options.share}"] if options.share else []),
        f"Z3T_RUN={run}",
        f"Z3T_PROGRAMS={guest_programs(kernel)}",
        f"Z3T_KERNEL={kernel.root}",
        f"Z3T_RELEASE={kernel.release}",
        f"Z3T_BUSYBOX={tools.find('busybox')}",
        *shlex.split(options.append),
        f"init={paths.testbed() / 'guest/init.sh'}",
    ]
    for word in words:
        if any(c.isspace() or c in "\"'" for c in word):
            raise UsageError(f"a guest cannot be given a path with a blank or a quote: {word!r}")
    return " ".join(words)


def _escaped(path: Path) -> str:
    """A path as a value of a QEMU option: a comma would begin the next one."""
    return str(path).replace(",", ",,")


def _export(name: str, path: Path, *more: str) -> list[str]:
    """A directory that the guest can mount as ``z3t-NAME``."""
    values = ",".join([f"local,id=z3t{name},path={_escaped(path)}", "multidevs=remap", *more])
    device = f"virtio-9p-pci,fsdev=z3t{name},mount_tag=z3t-{name}"
    return ["-fsdev", values, "-device", device]


def _mapped(directory: Path) -> tuple[str, ...]:
    """How a guest's files lie in its own directory: owners and modes are noted beside them,
    and links, devices and setuid files are none on the host."""
    model = "mapped-xattr" if share.keeps_attributes(directory) else "mapped-file"
    return f"security_model={model}", "fmode=0644", "dmode=0755"


def _exports(kernel: Kernel, options: Options, run: Path) -> list[str]:
    as_it_is = "security_model=none"
    kept = ("readonly=on",) if options.stranger else ()
    exports = _export("root", Path("/"), as_it_is, "readonly=on")
    exports += _export("run", run, *_mapped(run))
    exports += _export("programs", guest_programs(kernel), as_it_is, *kept)
    # QEMU's own threads, whoever it is in its box: how long they waited for a CPU.
    exports += _export("threads", Path("/proc/self/task"), as_it_is, "readonly=on")
    if options.share:
        # A kernel of one's own may be a stranger's, and asks for no file to be what it is not.
        how = _mapped(options.share) if kernel.own else (as_it_is,)
        exports += _export("share", options.share, *how)
    return exports


def qemu_command(kernel: Kernel, options: Options, where: Directories, *, kvm: bool) -> list[str]:
    """The whole command of a guest that has the directories *where*."""
    initramfs = where.private / "initramfs"
    qemu = [tools.find("qemu-system-x86_64")] if kvm else [*emulator()]
    argv = _base_command(kernel, initramfs, options, qemu)
    private = _escaped(where.private)
    argv += [
        *_exports(kernel, options, where.run),
        *(
            "-chardev",
            f"socket,id=console,path={private}/console,server=on,wait=off,"
            f"logfile={private}/console.log,logappend=on",
        ),
        *("-serial", "chardev:console", "-monitor", "none", "-no-reboot"),
        *("-kernel", str(kernel.image), "-initrd", str(initramfs)),
        *("-append", _kernel_arguments(kernel, options, where.run, kvm=kvm)),
    ]
    if kernel.image != kernel.packaged_image:
        argv += ["-bios", "qboot.rom"]
    for number, disk in enumerate(options.disks):
        argv += ["-drive", f"file={_escaped(disk)},if=none,format=raw,id=disk{number}"]
        argv += ["-device", f"virtio-blk-pci,drive=disk{number}"]
    argv += ["-accel", "kvm"] if kvm else ["-accel", "tcg,thread=multi"]
    if not options.disks:
        argv = [tools.find("prlimit"), f"--fsize={share.RUN_LIMIT}", "--core=0", "--", *argv]
    if options.boxed:
        keeps = None if options.stranger else guest_programs(kernel)
        return [*box.boxed(where, keeps_programs=keeps), *argv]
    return argv
