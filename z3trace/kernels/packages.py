"""Which packages of the distribution make a kernel, and their download.

One matching version of linux-image, its headers (three packages) and linux-source.
Downloads are kept by their SHA-256.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from z3trace import paths, tools
from z3trace.errors import UsageError, Z3traceError

#: Tells the user, in a line, of a step that takes long.
Say = Callable[[str], None]


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    #: Of the .deb, in bytes.
    size: int
    sha256: str


def _show(package: str, version: str | None = None) -> dict[str, str]:
    """The fields that the package lists have of a package."""
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
    """The kernel release and the packages that make it whole: the image first, the
    source last.

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


def download(package: Package, directory: Path, say: Say) -> Path:
    """The package's file in *directory*, downloaded unless a whole one is there."""
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
