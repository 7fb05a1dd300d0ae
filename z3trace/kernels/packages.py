"""Which packages of the distribution make a kernel, and their download.

One matching version of linux-image with the packages that it is only a name for, its
headers and linux-source.  Downloads are kept by their SHA-256.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from z3trace import paths
from z3trace.errors import Z3traceError
from z3trace.kernels import offers, suites
from z3trace.kernels.lists import Lists, Package, Say, dependencies

__all__ = ["Package", "Resolved", "Say", "download", "resolve"]

#: What stands for the kernel that a distribution installs: Debian's, Ubuntu's.
_DEFAULTS = ("linux-image-amd64", "linux-image-generic")
_HEADERS = re.compile(r"linux-(?:headers|kbuild)-.+")
_MOST_TRIED = 3  # kernels of a series of which a package is missing


@dataclass(frozen=True)
class Resolved:
    """A kernel's release, its packages (the image first, the source last), and the lists
    that they are in."""

    release: str
    packages: list[Package]
    lists: Lists

    @property
    def version(self) -> str:
        return self.packages[0].version


def resolve(wanted: str | None, suite: str, say: Say) -> Resolved:
    """The kernel that *wanted* stands for: a release, a series (``offers``), or None for
    what the distribution installs by default.

    It is looked for in *suite* of Debian.  Without one that is the machine's own lists,
    and then the other suites.  Z3traceError if none has it, with what there is.
    """
    if wanted is not None:
        offers.must_be_name(wanted)
    own = suites.lists(suite, say) if suite else Lists()
    if wanted is None:
        return _whole(_default(own), own)
    there = offers.offered(own)
    candidates = offers.of(there, wanted)
    if candidates:
        return _newest(candidates, own, say)
    reasons = []
    for other in () if suite else suites.others():
        say(f"{own.called} has no kernel {wanted}: looking in Debian's {other}")
        try:
            lists = suites.lists(other, say)
            candidates = offers.of(offers.offered(lists), wanted)
        except Z3traceError as error:
            reasons.append(error.message)
            continue
        if candidates:
            return _newest(candidates, lists, say)
    told = (
        f"the package lists of {own.called} know no kernel {wanted}: they have {offers.told(there)}"
    )
    hint = "'z3trace kernel fetch --offered' lists them; --suite names another suite of Debian"
    if not there:
        hint = "run 'apt-get update' as root first"
    raise Z3traceError("; ".join([told, *reasons]), hint)


def _default(lists: Lists) -> str:
    """The release that the distribution's default image stands for."""
    for name in _DEFAULTS:
        try:
            depends = dependencies(lists.fields(name))
        except Z3traceError as error:
            missing = error
            continue
        for each in depends:
            if each.startswith("linux-image-"):
                return each.removeprefix("linux-image-")
        raise Z3traceError(f"{name} names no kernel image")
    raise missing


def _newest(candidates: list[offers.Offer], lists: Lists, say: Say) -> Resolved:
    """The newest of *candidates* of which all packages are there."""
    for offer in candidates[:_MOST_TRIED]:
        try:
            return _whole(offer.release, lists)
        except Z3traceError as error:
            problem = error
            say(f"{offer.release} is not whole: {error.message}")
    raise problem


def _whole(release: str, lists: Lists) -> Resolved:
    image = lists.fields(f"linux-image-{release}")
    version = image["Version"]
    series = ".".join(release.split(".")[:2])
    names = [
        *_following(f"linux-image-{release}", release, version, lists),
        *_headers(release, version, lists),
    ]
    source = _source(release, series, version, lists)
    packages = [_package(name, version, lists) for name in dict.fromkeys(names)]
    return Resolved(release, [*packages, source], lists)


def _package(name: str, version: str, lists: Lists) -> Package:
    try:
        return lists.package(name, version)
    except Z3traceError:
        # The headers' tools may be of another source package, and so of another version.
        return lists.package(name)


def _following(name: str, release: str, version: str, lists: Lists) -> Iterator[str]:
    """*name*, and the packages of the same kernel that it depends on: an image may be a
    mere name for those that hold it and its modules."""
    pending, seen = [name], {name}
    while pending:
        current = pending.pop(0)
        yield current
        for each in dependencies(lists.fields(current, version)):
            if each not in seen and each.startswith("linux-") and each.endswith(release):
                seen.add(each)
                pending.append(each)


def _headers(release: str, version: str, lists: Lists) -> Iterator[str]:
    """The packages of the headers; how the other two are called has changed over time."""
    name = f"linux-headers-{release}"
    yield name
    for each in dependencies(lists.fields(name, version)):
        if _HEADERS.fullmatch(each):
            yield each


def _source(release: str, series: str, version: str, lists: Lists) -> Package:
    """The source package; Ubuntu's is called after three numbers."""
    three = re.match(r"\d+\.\d+\.\d+", release)
    names = [f"linux-source-{series}", *([f"linux-source-{three[0]}"] if three else [])]
    for name in names:
        try:
            return lists.package(name, version)
        except Z3traceError as error:
            missing = error
    raise missing


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(package: Package, lists: Lists, directory: Path, say: Say) -> Path:
    """The package's file in *directory*, downloaded unless a whole one is there."""
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / f"{package.name}_{package.version.replace(':', '%3a')}.deb"
    if target.exists() and target.stat().st_size == package.size:
        if _digest(target) == package.sha256:
            return target
        say(f"{target.name} is damaged and is fetched again")
    say(f"downloading {package.name} {package.version} ({package.size / 1e6:.0f} MB)")
    with paths.new_directory(directory / f"{package.name}.download") as work:
        wanted = f"{package.name}={package.version}"
        lists.apt("apt-get", ["-q", "download", wanted], cwd=work)
        files = list(work.glob("*.deb"))
        if len(files) != 1 or _digest(files[0]) != package.sha256:
            raise Z3traceError(f"the download of {package.name} is damaged", "try again")
        os.replace(files[0], target)
    shutil.rmtree(directory / f"{package.name}.download", ignore_errors=True)
    return target
