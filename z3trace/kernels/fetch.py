"""The cache of kernels: fetch one into it, list it, choose from it.

``manifest.json`` is written last and lists every file with its size, so that an
interrupted or damaged unpack is seen and done again.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from z3trace import paths
from z3trace.kernels import offers, sourcetree
from z3trace.kernels.layout import Kernel
from z3trace.kernels.packages import Say, download, resolve
from z3trace.kernels.unpack import unpack

__all__ = ["Kernel", "Say", "cached", "fetch", "is_whole", "kernels", "source"]

_MANIFEST = "manifest.json"


def _files(directory: Path) -> Iterator[tuple[str, int]]:
    for folder, _, names in os.walk(directory):
        for name in names:
            path = Path(folder, name)
            yield str(path.relative_to(directory)), path.lstat().st_size


def is_whole(directory: Path) -> bool:
    """Has the unpacked kernel in *directory* every file of its manifest, in its size?"""
    try:
        manifest = json.loads((directory / _MANIFEST).read_bytes())
        expected: dict[str, int] = manifest["files"]
        return all((directory / n).lstat().st_size == size for n, size in expected.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _load(directory: Path) -> Kernel:
    manifest = json.loads((paths.trusted(directory) / _MANIFEST).read_bytes())
    default = bool(manifest.get("default", True))
    suite = str(manifest.get("suite", ""))
    return Kernel(directory, manifest["release"], manifest["version"], default, suite)


def fetch(wanted: str | None, say: Say, suite: str = "") -> Kernel:
    """Make sure that a kernel is in the cache, whole, and return it: the one that
    *wanted* stands for now, of *suite* if one is named; see ``packages.resolve``."""
    resolved = resolve(wanted, suite, say)
    release, version = resolved.release, resolved.version
    directory = paths.cache() / "kernels" / release
    if directory.exists():
        if is_whole(directory) and _load(directory).version == version:
            return _load(directory)
        say(f"the unpacked kernel {release} is incomplete, damaged or outdated: doing it again")
    kept = paths.cache() / "packages"
    debs = [download(package, resolved.lists, kept, say) for package in resolved.packages]
    with paths.new_directory(directory) as work:
        unpack(Kernel(work, release, version), debs, directory, say)
        manifest = {
            "release": release,
            "default": wanted is None and not suite,
            "version": version,
            "suite": resolved.lists.suite,
            "packages": {p.name: p.sha256 for p in resolved.packages},
            "files": dict(sorted(_files(work))),
        }
        (work / _MANIFEST).write_text(json.dumps(manifest, indent=1))
    return _load(directory)


def source(wanted: str | None, directory: Path, say: Say) -> str:
    """Unpack the whole source of the kernel that *wanted* stands for into *directory*, which
    is made; its release."""
    resolved = resolve(wanted, "", say)
    deb = download(resolved.packages[-1], resolved.lists, paths.cache() / "packages", say)
    say(f"unpacking the source of {resolved.release}")
    with paths.new_directory(directory, replace=False) as work:
        sourcetree.unpack_all(deb, work)
    return resolved.release


def kernels() -> list[tuple[Kernel, bool]]:
    """Every kernel in the cache, and whether it is whole."""
    return [
        (_load(directory), is_whole(directory))
        for directory in sorted((paths.cache() / "kernels").glob("[0-9]*"))
        if (directory / _MANIFEST).exists()
    ]


def cached(wanted: str | None, say: Say) -> Kernel:
    """The kernel to use: the newest in the cache of those that *wanted* (a release or a
    series) stands for, or without it of those that the distribution installs by default;
    else a fetched one."""
    if wanted:
        offers.must_be_name(wanted)
    whole = [
        kernel
        for kernel, is_there in kernels()
        if is_there and (offers.fits(kernel.release, wanted) if wanted else kernel.default)
    ]
    if not whole:
        return fetch(wanted, say)
    return max(whole, key=lambda kernel: offers.Offer(kernel.release, kernel.version).age)
