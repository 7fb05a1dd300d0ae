"""Download the distribution's kernel packages and unpack them, never install them.

One matching version of linux-image, its headers (three packages) and
linux-source.  What is unpacked under ``<cache>/kernels/<release>`` is a small
root file system: ``boot``, ``lib/modules``, ``usr/src``.  ``manifest.json`` is
written last and lists every file with its size, so that an interrupted or
damaged unpack is seen and done again; downloads are kept by their SHA-256.
"""

import hashlib
import json
import lzma
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from z3trace import paths, tools
from z3trace.errors import UsageError, Z3traceError

Say = Callable[[str], None]
SOURCES = ("mm/z3fold.c", "mm/zsmalloc.c", "mm/zbud.c")
_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Kernel:
    """An unpacked kernel."""

    directory: Path
    release: str
    version: str
    default: bool = True

    @property
    def root(self) -> Path:
        return self.directory / "root"

    @property
    def image(self) -> Path:
        """What QEMU boots: the ELF image if it could be unpacked, which spares the
        guest the decompression, else the packaged one."""
        elf = self.directory / "vmlinux"
        return elf if elf.exists() else self.packaged_image

    @property
    def packaged_image(self) -> Path:
        return self.root / f"boot/vmlinuz-{self.release}"

    @property
    def headers(self) -> Path:
        return self.root / f"usr/src/linux-headers-{self.release}"

    @property
    def modules(self) -> Path:
        return self.root / f"lib/modules/{self.release}"

    def source(self, name: str) -> Path:
        """A file of the kernel's source, such as ``mm/z3fold.c``."""
        path = self.directory / "source" / name
        if not path.exists():
            raise Z3traceError(f"the source package of {self.release} has no {name}")
        return path

    def module(self, name: str) -> Path:
        """The packaged module's file."""
        found = sorted(self.modules.glob(f"kernel/**/{name}.ko*"))
        if not found:
            raise Z3traceError(f"{self.release} has no module {name}", "it may be built in")
        return found[0]


def _show(package: str, version: str | None = None) -> dict[str, str]:
    wanted = f"{package}={version}" if version else package
    try:
        text = tools.run(["apt-cache", "--no-all-versions", "show", wanted])
    except Z3traceError as error:
        raise Z3traceError(
            f"the package lists know no {wanted}", "run 'apt-get update' as root first"
        ) from error
    fields = re.findall(r"^([A-Za-z0-9-]+): (.*)$", text, re.MULTILINE)
    return dict(reversed(fields))


def _package(name: str, version: str | None = None) -> Package:
    fields = _show(name, version)
    return Package(name, fields["Version"], int(fields["Size"]), fields["SHA256"])


def resolve(release: str | None = None) -> tuple[str, list[Package]]:
    """The kernel release and the packages that make it whole.

    Without *release* it is what linux-image-amd64 stands for now.
    """
    if release is None:
        depends = _show("linux-image-amd64").get("Depends", "")
        match = re.search(r"linux-image-(\S+)", depends)
        if not match:
            raise Z3traceError("linux-image-amd64 names no kernel image")
        release = match.group(1)
    if not re.fullmatch(r"[0-9][A-Za-z0-9.+~-]*", release):
        raise UsageError(f"{release!r} is not a kernel release", "such as 6.1.0-50-amd64")
    image = _package(f"linux-image-{release}")
    series = ".".join(release.split(".")[:2])
    headers = f"linux-headers-{release}"
    # How the other two packages of the headers are called has changed over time.
    depends = _show(headers, image.version).get("Depends", "")
    parts = re.findall(r"linux-(?:headers|kbuild)-[A-Za-z0-9.+~-]+", depends)
    names = [headers, *dict.fromkeys(parts), f"linux-source-{series}"]
    return release, [image, *(_package(name, image.version) for name in names)]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(package: Package, directory: Path, say: Say) -> Path:
    """The package's file, fetched unless a whole one is there."""
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / f"{package.name}_{package.version.replace(':', '%3a')}.deb"
    if target.exists() and target.stat().st_size == package.size:
        if _digest(target) == package.sha256:
            return target
        say(f"{target.name} is damaged and is fetched again")
    say(f"downloading {package.name} {package.version} ({package.size / 1e6:.0f} MB)")
    with paths.new_directory(directory / f"{package.name}.download") as work:
        tools.run(
            ["apt-get", "-q", "download", f"{package.name}={package.version}"],
            cwd=work,
            doing=f"downloading {package.name}",
        )
        files = list(work.glob("*.deb"))
        if len(files) != 1 or _digest(files[0]) != package.sha256:
            raise Z3traceError(f"the download of {package.name} is damaged", "try again")
        os.replace(files[0], target)
    shutil.rmtree(directory / f"{package.name}.download", ignore_errors=True)
    return target


def _unpack_source(deb: Path, into: Path, say: Say) -> None:
    say("unpacking the kernel source (the files that are needed)")
    into.mkdir()
    stem = deb.name.split("_")[0]
    listing = subprocess.Popen(
        [tools.find("dpkg-deb"), "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE
    )
    archive = into / "source.tar.xz"
    with archive.open("wb") as file:
        subprocess.run(
            [tools.find("tar"), "-xO", f"./usr/src/{stem}.tar.xz"],
            stdin=listing.stdout,
            stdout=file,
            check=True,
        )
    if listing.stdout:
        listing.stdout.close()
    listing.wait()
    members = [f"{stem}/{name}" for name in SOURCES]
    tools.run(
        ["tar", "-xJf", archive, "--occurrence=1", "--strip-components=1", "-C", into, *members],
        doing="unpacking the kernel source",
    )
    archive.unlink()


def _relocate_headers(root: Path, home: Path) -> None:
    """The headers' Makefile includes its other half by an absolute path of an
    installed system; here it lies below *home*, where *root* will be moved."""
    for makefile in root.glob("usr/src/linux-headers-*/Makefile"):
        text = makefile.read_text()
        if text.startswith("include /usr/src/"):
            makefile.write_text(text.replace("include /usr/src/", f"include {home}/usr/src/"))


def unpack_image(image: bytes) -> bytes | None:
    """The ELF kernel inside a bzImage whose payload is xz or gzip; None if it is neither."""
    import zlib

    at = image.find(b"\xfd7zXZ\x00")
    if at > 0:
        elf = lzma.LZMADecompressor(format=lzma.FORMAT_XZ).decompress(image[at:])
        return elf if elf.startswith(b"\x7fELF") else None
    at = image.find(b"\x1f\x8b\x08")
    if at > 0:
        elf = zlib.decompressobj(wbits=31).decompress(image[at:])
        return elf if elf.startswith(b"\x7fELF") else None
    return None


def _decompress_modules(root: Path) -> None:
    """A guest's first process has no xz, and every load of a module would need it."""
    compressed = sorted(root.glob("lib/modules/**/*.ko.xz"))
    for at in range(0, len(compressed), 500):
        tools.run(["xz", "-d", "-T0", *compressed[at : at + 500]], doing="unpacking modules")


def _files(directory: Path) -> Iterator[tuple[str, int]]:
    for folder, _, names in os.walk(directory):
        for name in names:
            path = Path(folder, name)
            yield str(path.relative_to(directory)), path.lstat().st_size


def is_whole(directory: Path) -> bool:
    try:
        manifest = json.loads((directory / _MANIFEST).read_bytes())
        expected: dict[str, int] = manifest["files"]
        return all((directory / n).lstat().st_size == size for n, size in expected.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _load(directory: Path) -> Kernel:
    manifest = json.loads((paths.trusted(directory) / _MANIFEST).read_bytes())
    default = bool(manifest.get("default", True))
    return Kernel(directory, manifest["release"], manifest["version"], default)


def fetch(release: str | None, say: Say) -> Kernel:
    """Make sure that a kernel is in the cache, whole, and return it."""
    found, packages = resolve(release)
    directory = paths.cache() / "kernels" / found
    if directory.exists():
        if is_whole(directory) and _load(directory).version == packages[0].version:
            return _load(directory)
        say(f"the unpacked kernel {found} is incomplete, damaged or outdated: doing it again")
    debs = [_download(package, paths.cache() / "packages", say) for package in packages]
    with paths.new_directory(directory) as work:
        root = work / "root"
        for deb in debs[:-1]:
            say(f"unpacking {deb.name.split('_')[0]}")
            tools.run(["dpkg-deb", "-x", deb, root], doing=f"unpacking {deb.name}")
        _unpack_source(debs[-1], work / "source", say)
        say("preparing the kernel image and the module index")
        kernel = Kernel(work, found, packages[0].version)
        elf = unpack_image(kernel.packaged_image.read_bytes())
        if elf:
            (work / "vmlinux").write_bytes(elf)
        _decompress_modules(root)
        tools.run(["depmod", "-b", root, found], doing="depmod")
        _relocate_headers(root, directory / "root")
        manifest = {
            "release": found,
            "default": release is None,
            "version": packages[0].version,
            "packages": {p.name: p.sha256 for p in packages},
            "files": dict(sorted(_files(work))),
        }
        (work / _MANIFEST).write_text(json.dumps(manifest, indent=1))
    return _load(directory)


def kernels() -> list[tuple[Kernel, bool]]:
    """Every kernel in the cache, and whether it is whole."""
    found = []
    for directory in sorted((paths.cache() / "kernels").glob("[0-9]*")):
        if (directory / _MANIFEST).exists():
            found.append((_load(directory), is_whole(directory)))
    return found


def cached(release: str | None, say: Say) -> Kernel:
    """The kernel to use: the one named, else the newest in the cache of those that the
    distribution installs by default, else a fetched one."""
    if release:
        directory = paths.cache() / "kernels" / release
        return _load(directory) if is_whole(directory) else fetch(release, say)
    whole = [kernel for kernel, whole in kernels() if whole and kernel.default]
    if not whole:
        return fetch(None, say)
    return max(whole, key=lambda kernel: [int(n) for n in re.findall(r"\d+", kernel.release)])
