"""``make distributions``: a bare machine of each release of Debian runs the demo and the tests.

For each release a bare root and a clean clone of what is committed here, which installs
all it needs (setup), then ``make demo`` and ``make test`` in it.  Takes hours; not part of
CI.  Needs root, debootstrap and bubblewrap.  Writes build/distributions/results.json, one
row a release with the versions that it has, what passed and how long it took, and the
logs beside it.

Arguments: releases (bookworm, trixie, testing) and steps (setup, demo, test); by default
all.  Two more steps are done when they are named: unit, and a file below tests/.  Without
setup the root and the clone of the last time are used as they are.  ``RUNS`` and ``RELEASE``
of the environment go to the demo.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bare import Bare

ROOT = Path(__file__).parents[2]
OUT = ROOT / "build/distributions"
RESULTS = OUT / "results.json"
RELEASES = {"bookworm": "Debian 12", "trixie": "Debian 13", "testing": "Debian testing"}
STEPS = ("setup", "demo", "test")
PARTS = ("unit",)
#: Where an ordinary user can read it, too, as some tests want.
CLONE = "/srv/z3trace"
_HOUR = 3600.0  # seconds
_VERSIONS = {
    "debian": ["cat", "/etc/debian_version"],
    "python": ["python3", "--version"],
    "qemu": ["qemu-system-x86_64", "--version"],
    "bcc": ["dpkg-query", "-W", "-f", "${Version}", "python3-bpfcc"],
    "coccinelle": ["spatch", "--version"],
    "gcc": ["gcc", "-dumpfullversion"],
    "kernel": ["sh", "-c", f"{CLONE}/.venv/bin/z3trace kernel list | head -1"],
}
#: pytest's last line, such as "= 5 failed, 270 passed, 3 skipped in 1500.12s =".
_SUMMARY = re.compile(r"^=* ?((?:\d+ \w+(?:, )?)+) in [\d.]+s", re.MULTILINE)


def setup(bare: Bare) -> dict[str, Any]:
    """Make the root and the clone, and let it install what it needs."""
    log = OUT / f"{bare.name}-setup.log"
    start = time.monotonic()
    bare.make(log)
    current = bare.update(log)
    ready = bare.run(["apt-get", "-qy", "install", "make", "git"], log, timeout=_HOUR) == 0
    clone = ["git", "clone", "-q", "--no-hardlinks", str(ROOT), f"{bare.directory}{CLONE}"]
    subprocess.run(clone, check=True)
    status = bare.run(["make", ".venv/.ready"], log, timeout=_HOUR, where=CLONE) if ready else 1
    lists = "current" if current else "older than they may be, taken all the same"
    return {"lists": lists, **_ended(log, status, start)}


def _command(name: str) -> list[str]:
    """What does a step: a target of make, or the tests of a file."""
    if _is_file(name):
        return ["env", "Z3TRACE_REQUIRE=vm", ".venv/bin/python", "-m", "pytest", "-q", name]
    given = [f"{key}={os.environ[key]}" for key in ("RUNS", "RELEASE") if key in os.environ]
    return ["make", name, *given]


def _is_file(name: str) -> bool:
    return name.startswith("tests/")


def step(bare: Bare, name: str) -> dict[str, Any]:
    """Do one step: whether it passed, how long it took, what the tests counted."""
    log = OUT / f"{bare.name}-{name.replace('/', '-')}.log"
    log.unlink(missing_ok=True)
    start = time.monotonic()
    status = bare.run(_command(name), log, timeout=3 * _HOUR, where=CLONE)
    text = log.read_text(errors="replace")
    counted = _SUMMARY.findall(text)
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", text, re.MULTILINE)
    return {
        **_ended(log, status, start),
        "tests": counted[-1] if counted else "",
        "failed": failed,
    }


def _ended(log: Path, status: int | None, start: float) -> dict[str, Any]:
    lines = log.read_text(errors="replace").strip().splitlines() or [""]
    told = [line for line in lines if line.startswith("z3trace: ")]
    return {
        "passed": status == 0,
        "status": "too long" if status is None else status,
        "seconds": round(time.monotonic() - start),
        "why": "" if status == 0 else (told or lines)[-1],
    }


def release(name: str, steps: list[str], row: dict[str, Any]) -> None:
    """Do *steps* in the root of a release, and note what came of them in *row*."""
    bare = Bare(name, OUT / "roots" / name)
    row["release"] = RELEASES[name]
    for each in steps:
        if each != "setup" and not (bare.directory / CLONE.lstrip("/")).is_dir():
            raise SystemExit(f"{name}: there is no root yet: the step setup makes it")
        row[each] = setup(bare) if each == "setup" else step(bare, each)
        row[each]["commit"] = bare.said(["git", "-C", CLONE, "rev-parse", "--short", "HEAD"])
        said = "passed" if row[each]["passed"] else f"FAILED: {row[each]['why'][:120]}"
        print(f"{row['release']:16} {each:8} {row[each]['seconds']:6} s  {said}", flush=True)
        if not row[each]["passed"] and each == "setup":
            break
    row["versions"] = {what: bare.said(command) for what, command in _VERSIONS.items()}


def _rows() -> dict[str, Any]:
    return dict(json.loads(RESULTS.read_text())) if RESULTS.exists() else {}


def main() -> int:
    missing = [program for program in ("debootstrap", "bwrap", "git") if not shutil.which(program)]
    if missing or os.geteuid() != 0:
        print(f"distributions: needs root and {', '.join(missing or ['debootstrap'])}")
        return 4
    wanted = sys.argv[1:]
    unknown = set(wanted) - {*RELEASES, *STEPS, *PARTS, *filter(_is_file, wanted)}
    if unknown:
        print(f"distributions: unknown: {', '.join(sorted(unknown))}")
        return 2
    steps = [each for each in (*STEPS, *PARTS) if each in wanted]
    steps = [*steps, *filter(_is_file, wanted)] or list(STEPS)
    OUT.mkdir(parents=True, exist_ok=True)
    rows: dict[str, Any] = {}
    names = [each for each in RELEASES if each in wanted] or list(RELEASES)
    for name in names:
        done_now: dict[str, Any] = {}
        try:
            release(name, steps, done_now)
        finally:
            # Another one may do another part meanwhile.
            rows = _rows()
            rows[name] = {**rows.get(name, {}), **done_now}
            RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    done = [rows[name][each]["passed"] for name in names for each in steps if each in rows[name]]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
