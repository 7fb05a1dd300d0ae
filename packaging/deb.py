"""``make deb``: a source distribution and a package for Debian 13, built and tried.

A bare root of the release builds the package of the source distribution and runs lintian;
a second one, as bare, installs it, reads a manual page, completes a word, runs ``doctor``,
and purges it.  Root and debootstrap are needed, nothing is installed on this machine.
Writes build/deb: the packages, the logs, and results.json.  Arguments: steps (root, build,
try), by default all.
"""

import json
import re
import shutil
import subprocess
import sys
import tarfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/distributions"))

from bare import Bare  # noqa: E402

OUT = ROOT / "build/deb"
RELEASE = "trixie"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
#: Not in the release as new as it is needed; versions and digests are those of constraints.txt.
VENDORED = ("unidiff",)
_BUILD = (
    *("build-essential", "debhelper", "dh-python", "pybuild-plugin-pyproject", "python3-all"),
    *("python3-click", "python3-msgspec", "python3-setuptools", "lintian", "shellcheck"),
)
_HOUR = 3600.0  # seconds
#: "A && B || fail": in the guest's init B does not fail once A is true, or it is a failure.
_MEANT = "SC2015"
#: What a build leaves in the source tree: copies.
_BUILT = ("build", "debian", ".pybuild")
#: What apt and dpkg write about themselves, and what ages by itself.
_OWN = re.compile(
    r"/(var/(log|cache|lib/(apt|dpkg|systemd)|backups)|etc/ld\.so\.cache|root|tmp|run|dev|proc|sys)\b"
)


def _bare(name: str) -> Bare:
    return Bare(RELEASE, OUT / "roots" / name)


def _must(bare: Bare, command: list[str], log: Path, where: str = "/root") -> None:
    if bare.run(command, log, timeout=_HOUR, where=where):
        raise SystemExit(f"{' '.join(command)} failed: {log}")


def root() -> dict[str, Any]:
    """A bare root, of which the others are copies."""
    log = OUT / "root.log"
    bare = _bare("bare")
    bare.make(log)
    bare.update(log)
    return {}


def _copy(name: str) -> Bare:
    bare = _bare(name)
    shutil.rmtree(bare.directory, ignore_errors=True)
    subprocess.run(
        ["cp", "-a", "--reflink=auto", _bare("bare").directory, bare.directory], check=True
    )
    return bare


def _sources(directory: Path) -> Path:
    """The source package, unpacked, with its tarballs beside it."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    command = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", OUT, ROOT]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    made = OUT / f"z3trace-{VERSION}.tar.gz"
    shutil.copy(made, directory / f"z3trace_{VERSION}.orig.tar.gz")
    subprocess.run(["tar", "xf", made, "-C", directory], check=True)
    tree = directory / f"z3trace-{VERSION}"
    _vendor(tree / "vendor", directory)
    with tarfile.open(directory / f"z3trace_{VERSION}.orig-vendor.tar.gz", "w:gz") as packed:
        packed.add(tree / "vendor", "vendor")
    shutil.copytree(tree / "packaging/debian", tree / "debian")
    return tree


def _vendor(directory: Path, work: Path) -> None:
    """The pure packages that the release lacks, as constraints.txt pins them."""
    text = (ROOT / "constraints.txt").read_text()
    for name in VENDORED:
        pinned = re.search(rf"^{name}==.*?(?<!\\)$", text, re.M | re.S)
        assert pinned, name
        wanted = work / "vendored.txt"
        wanted.write_text(pinned[0])
        command = [sys.executable, "-m", "pip", "-q", "install", "--no-deps", "--no-compile"]
        command += ["--require-hashes", "--target", str(work / "vendored"), "-r", str(wanted)]
        subprocess.run(command, check=True)
        shutil.copytree(work / "vendored" / name, directory / name)


def build() -> dict[str, Any]:
    """Build the package in a copy of the root, and let lintian and shellcheck judge."""
    log = OUT / "build.log"
    log.unlink(missing_ok=True)
    bare = _copy("build")
    _must(bare, ["apt-get", "-qy", "install", "--no-install-recommends", *_BUILD], log)
    tree = _sources(bare.directory / "root/build")
    where = f"/root/build/{tree.name}"
    _must(bare, ["dpkg-buildpackage", "-us", "-uc"], log, where)
    packages = sorted(tree.parent.glob("z3trace_*"))
    for path in packages:
        shutil.copy(path, OUT)
    (changes,) = tree.parent.glob("*.changes")
    judged = OUT / "lintian.log"
    judged.unlink(missing_ok=True)
    lintian = ["lintian", "--allow-root", "-EI", "--pedantic", "--show-overrides", changes.name]
    bare.run(lintian, judged, timeout=_HOUR, where="/root/build")
    said = [line for line in judged.read_text().splitlines() if re.match(r"[EWIP]: ", line)]
    scripts = [str(path.relative_to(tree)) for path in _scripts(tree)]
    _must(bare, ["shellcheck", "-e", _MEANT, *scripts], log, where)
    return {"lintian": said, "shellcheck": scripts, "size": (_deb()).stat().st_size}


def _scripts(tree: Path) -> list[Path]:
    """All shell scripts of ours."""

    def is_one(path: Path) -> bool:
        with path.open("rb") as file:
            return bool(re.match(rb"#! ?/\S*\b(env )?(ba|da)?sh\b", file.read(64)))

    return sorted(
        path
        for path in tree.rglob("*")
        if path.relative_to(tree).parts[0] not in _BUILT and path.is_file() and is_one(path)
    )


def _deb() -> Path:
    return OUT / f"z3trace_{VERSION}-1_all.deb"


def _files(bare: Bare) -> set[str]:
    """What is in a root, without what apt and dpkg keep about themselves."""
    found = (str(path) for path in bare.directory.rglob("*"))
    names = {name.removeprefix(str(bare.directory)) for name in found}
    return {name for name in names if not _OWN.match(name)}


_CHECKS: dict[str, list[str]] = {
    "version": ["z3trace", "--version"],
    "help": ["z3trace", "--help"],
    "man": ["sh", "-c", "man z3trace | grep -A1 ^NAME && man z3trace-record | grep -e --runs"],
    "completion": [
        "bash",
        "-c",
        ". /usr/share/bash-completion/bash_completion; _comp_load z3trace || __load_completion "
        "z3trace; COMP_WORDS=(z3trace rec); COMP_CWORD=1; _z3trace_completion z3trace rec z3trace; "
        '[ "${COMPREPLY[*]}" = record ]',
    ],
    "targets": ["sh", "-c", "z3trace target list | grep zsmalloc"],
    "vendored": ["python3", "-c", "import z3trace, unidiff; assert '_vendor' in unidiff.__file__"],
    # A kernel without kprobes, or one that may not be traced here, is 4 and says why.
    "doctor": ["sh", "-c", "z3trace doctor; s=$?; [ $s = 0 ] || [ $s = 4 ]"],
}


def attempt() -> dict[str, Any]:
    """Install the package in a copy of the root, use it, and purge it."""
    log = OUT / "try.log"
    log.unlink(missing_ok=True)
    bare = _copy("try")
    before = _files(bare)
    shutil.copy(_deb(), bare.directory / "root")
    # A minimal root leaves manual pages out.
    (bare.directory / "etc/dpkg/dpkg.cfg.d/docker").unlink(missing_ok=True)
    install = ["apt-get", "-qy", "-o", "Dpkg::Use-Pty=0", "install", "--no-install-recommends"]
    _must(bare, [*install, "man-db", "bash-completion", f"/root/{_deb().name}"], log)
    passed = {name: bare.run(command, log, timeout=600) == 0 for name, command in _CHECKS.items()}
    _must(bare, ["apt-get", "-qy", "purge", "z3trace"], log)
    left = sorted(name for name in _files(bare) if "z3trace" in name)
    _must(bare, ["apt-get", "-qy", "purge", "--autoremove", "man-db", "bash-completion"], log)
    return {**passed, "left": left, "left_of_others": len(_files(bare) - before)}


STEPS: dict[str, Callable[[], dict[str, Any]]] = {"root": root, "build": build, "try": attempt}


def main(asked: list[str]) -> int:
    """Run the steps; 0 if all went well."""
    OUT.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {}
    for name in asked or STEPS:
        start = time.monotonic()
        results[name] = {**STEPS[name](), "seconds": round(time.monotonic() - start)}
        print(json.dumps({name: results[name]}, indent=1))
    (OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    checked = results.get("try", {})
    good = all(checked.get(name, True) for name in _CHECKS) and not checked.get("left")
    return 0 if good and not results.get("build", {}).get("lintian") else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
