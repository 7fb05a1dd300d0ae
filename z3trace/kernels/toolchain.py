"""The compiler and tools that a kernel's modules are built with.

A kernel of the machine's own suite is built with the machine's, if the compiler that the
kernel itself was built with is installed.  For any other one, that compiler and all that
it needs are unpacked into a root of their own in the cache, from the suite that the
kernel is from, and run in the box: a module that another compiler makes may not fit, and
tools of a newer suite do not run on an older one.
"""

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from z3trace import paths, tools
from z3trace.errors import Z3traceError
from z3trace.kernels import debs, suites
from z3trace.kernels.layout import Kernel
from z3trace.kernels.lists import Lists, Say

#: What the kernel's build and the box run besides what its headers depend on.
_TOOLS = [
    *("make", "binutils", "pahole", "dash", "bash", "coreutils", "sed", "grep", "findutils"),
    *("mawk", "diffutils", "gzip", "util-linux"),
]
#: What a maintainer script would make.
_LINKS = {"awk": "mawk"}
_COMPILER = re.compile(
    r'^CONFIG_CC_VERSION_TEXT="\S*?gcc(?:-\d+)? \([^"]*?\) (\d+)\.', re.MULTILINE
)
_UNPACKED = re.compile(r"^Inst (\S+) \((\S+)", re.MULTILINE)
#: They come with the kernel, or are a hundred MB that nothing is built with.
_OF_THE_KERNEL = ("linux-image-", "linux-headers-", "linux-kbuild-", "linux-binary-")
_DONE = "toolchain.txt"


@dataclass(frozen=True)
class Toolchain:
    """Where a kernel's modules are built: *root* is / for the machine's own programs."""

    root: Path
    #: Names compiler and tools: what else is built from the same source is another module.
    identity: str

    @property
    def own(self) -> bool:
        return self.root == Path("/")


def compiler(kernel: Kernel) -> str:
    """The major version of the gcc that built *kernel*; empty if its headers do not say."""
    try:
        config = (kernel.headers / ".config").read_text(errors="replace")
    except OSError:
        return ""
    match = _COMPILER.search(config)
    return match[1] if match else ""


def of(kernel: Kernel, say: Say) -> Toolchain:
    """The toolchain for *kernel*, fetched if need be.

    Z3traceError if it cannot be had.
    """
    wanted = compiler(kernel)
    if not kernel.suite and _is_here(wanted):
        return Toolchain(Path("/"), tools.run(["gcc", "--version"]).splitlines()[0])
    called = f"{kernel.suite or 'this-machine'}-gcc-{wanted or 'unknown'}"
    root = paths.cache() / "toolchains" / called
    if not (root / _DONE).exists():
        lists = suites.lists(kernel.suite, say) if kernel.suite else _of_this_machine()
        _make(root, _packages(kernel, lists), lists, say, f"gcc {wanted} of {lists.called}")
    digest = hashlib.sha256((paths.trusted(root) / _DONE).read_bytes()).hexdigest()
    return Toolchain(root, f"gcc {wanted} {digest}")


def _is_here(wanted: str) -> bool:
    """Whether the machine has the gcc that the headers will ask for."""
    names = [f"gcc-{wanted}", f"x86_64-linux-gnu-gcc-{wanted}"] if wanted else ["gcc"]
    if any(shutil.which(name) for name in names):
        return True
    return bool(shutil.which("gcc")) and tools.run(["gcc", "-dumpversion"]).strip() == wanted


def _of_this_machine() -> Lists:
    """The machine's own lists, as if nothing of them were installed."""
    home = paths.cache() / "apt/this-machine"
    home.mkdir(parents=True, exist_ok=True)
    (home / "status").touch()
    return Lists("", ("-o", f"Dir::State::status={home / 'status'}"))


def _packages(kernel: Kernel, lists: Lists) -> dict[str, str]:
    """Name -> version of all packages that are needed, as apt would install them."""
    headers = f"linux-headers-{kernel.release}={kernel.version}"
    arguments = ["-s", "-y", "--no-install-recommends", "install", *_TOOLS, headers]
    try:
        found = dict(_UNPACKED.findall(lists.apt("apt-get", arguments)))
    except Z3traceError as error:
        raise Z3traceError(
            f"the compiler of {kernel.release} cannot be had from {lists.called}: {error.message}",
            "the package lists may have a newer kernel by now: 'z3trace kernel fetch' takes it",
        ) from error
    return {name: found[name] for name in sorted(found) if not name.startswith(_OF_THE_KERNEL)}


def _make(root: Path, packages: dict[str, str], lists: Lists, say: Say, called: str) -> None:
    say(f"downloading the toolchain of this kernel: {called} ({len(packages)} packages)")
    with paths.new_directory(root) as work:
        files = work / ".debs"
        files.mkdir()
        wanted = [f"{name}={version}" for name, version in packages.items()]
        lists.apt("apt-get", ["-q", "download", *wanted], cwd=files)
        found = sorted(files.glob("*.deb"))
        if len(found) != len(packages):
            raise Z3traceError(f"of {len(packages)} packages {len(found)} came", "try again")
        say("unpacking the toolchain")
        for name in ("bin", "sbin", "lib", "lib64"):
            (work / "usr" / name).mkdir(parents=True)
            (work / name).symlink_to(f"usr/{name}")
        for deb in found:
            debs.unpack(deb, work)
        shutil.rmtree(files)
        for name, target in _LINKS.items():
            if not (work / "usr/bin" / name).exists():
                (work / "usr/bin" / name).symlink_to(target)
        (work / _DONE).write_text("\n".join(wanted) + "\n")
