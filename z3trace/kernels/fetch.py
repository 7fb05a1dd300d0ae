"""The cache of kernels: fetch one into it, list it, choose from it.

``manifest.json`` is written last and lists every file with its size, so that an
interrupted or damaged unpack is seen and done again.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from z3trace import paths
from z3trace.kernels.layout import Kernel
from z3trace.kernels.packages import Say, download, resolve
from z3trace.kernels.unpack import unpack

__all__ = ["Kernel", "Say", "cached", "fetch", "is_whole", "kernels"]

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
    return Kernel(directory, manifest["release"], manifest["version"], default)


def fetch(release: str | None, say: Say) -> Kernel:
    """Make sure that a kernel is in the cache, whole, and return it."""
    resolved, packages = resolve(release)
    version = packages[0].version
    directory = paths.cache() / "kernels" / resolved
    if directory.exists():
        if is_whole(directory) and _load(directory).version == version:
            return _load(directory)
        say(f"the unpacked kernel {resolved} is incomplete, damaged or outdated: doing it again")
    debs = [download(package, paths.cache() / "packages", say) for package in packages]
    with paths.new_directory(directory) as work:
        unpack(Kernel(work, resolved, version), debs, directory, say)
        manifest = {
            "release": resolved,
            "default": release is None,
            "version": version,
            "packages": {p.name: p.sha256 for p in packages},
            "files": dict(sorted(_files(work))),
        }
        (work / _MANIFEST).write_text(json.dumps(manifest, indent=1))
    return _load(directory)


def kernels() -> list[tuple[Kernel, bool]]:
    """Every kernel in the cache, and whether it is whole."""
    return [
        (_load(directory), is_whole(directory))
        for directory in sorted((paths.cache() / "kernels").glob("[0-9]*"))
        if (directory / _MANIFEST).exists()
    ]


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
