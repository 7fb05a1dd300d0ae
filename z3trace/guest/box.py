"""The box that QEMU runs in when its guest runs a stranger's code.

The guest sees its host's files through QEMU: in the box these are the system's programs
and libraries, z3trace and its Python, the cache, and few settings of the system, all to
read; no home directory, no other process, no network.  What escapes from the guest into
QEMU is in the box too, without any right.
"""

import sys
import sysconfig
from collections.abc import Iterator
from importlib import util
from pathlib import Path

from z3trace import paths
from z3trace.guest import share
from z3trace.guest.share import Directories
from z3trace.kernels import box

#: Where the guest's first process mounts what is not in the box.
_MOUNT_POINTS = ("/run", "/sys", "/root", "/mnt", "/etc")
#: What Python, kmod and the C library ask of a system.
_SETTINGS = (
    *("/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/os-release", "/etc/localtime"),
    *("/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/modprobe.d", "/etc/debian_version"),
)
#: What directories of installed packages are called.  Others of sys.path, such as the one
#: where the command was given, may hold anything.
_INSTALLED = ("site-packages", "dist-packages")
_PACKAGES = ("z3trace", "z3trace.analysis", "z3trace.probes", "z3trace.testbed")


def _python() -> Iterator[Path]:
    """Where this Python and all that it imports lie."""
    yield from (Path(sys.prefix), Path(sysconfig.get_path("scripts")))
    yield from (Path(entry) for entry in sys.path if Path(entry).name in _INSTALLED)
    for package in _PACKAGES:
        spec = util.find_spec(package)
        yield from map(Path, (spec and spec.submodule_search_locations) or ())


def readable() -> list[Path]:
    """What the guest may read of its host, besides the system's programs and libraries."""
    there = (path.absolute() for path in (*_python(), paths.cache()))
    shown = [path for path in there if path.is_dir() and not path.is_relative_to("/usr")]
    homes = share.homes()
    return [path for path in shown if not any(home.is_relative_to(path) for home in homes)]


def boxed(where: Directories, *, keeps_programs: Path | None) -> list[str]:
    """The beginning of a QEMU command that runs in the box.

    *keeps_programs*: the directory of kept programs, if this guest may add to it.
    """
    options = ["--uid", "0", "--gid", "0"]  # the guest's root is to be the files' owner
    for point in _MOUNT_POINTS:
        options += ["--dir", point]
    for path in _SETTINGS:
        options += ["--ro-bind-try", path, path]
    options += ["--dev-bind-try", "/dev/kvm", "/dev/kvm", "--remount-ro", "/dev"]
    writable = [where.run, where.private, *([keeps_programs] if keeps_programs else [])]
    return [*box.walls(readable(), writable, *options), "--"]
