"""``make distributions``: a bare machine of each release of Debian runs the demo and the tests.

For each release a bare root, a clean clone of what is committed here, ``make demo`` and
``make test``, which install all they need.  Takes hours; not part of CI.  Needs root,
debootstrap and bubblewrap.  Writes build/distributions/results.json, one row a release
with the versions that it has, what passed and how long it took, and the logs beside it.

Arguments: releases (bookworm, trixie, testing) and steps (demo, test); by default all.
``RUNS`` of the environment goes to the demo.
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
RELEASES = {"bookworm": "Debian 12", "trixie": "Debian 13", "testing": "Debian testing"}
STEPS = ("demo", "test")
CLONE = "/root/z3trace"
_HOURS = 3600.0
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
_SUMMARY = re.compile(r"^=+ ((?:\d+ \w+(?:, )?)+) in [\d.]+s", re.MULTILINE)


def step(bare: Bare, name: str) -> dict[str, Any]:
    """Run one target of make: whether it passed, how long it took, what the tests counted."""
    log = OUT / f"{bare.name}-{name}.log"
    log.unlink(missing_ok=True)
    runs = [f"RUNS={os.environ['RUNS']}"] if "RUNS" in os.environ and name == "demo" else []
    start = time.monotonic()
    status = bare.run(["make", name, *runs], log, timeout=3 * _HOURS, where=CLONE)
    text = log.read_text(errors="replace")
    counted = _SUMMARY.findall(text)
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", text, re.MULTILINE)
    return {
        "passed": status == 0,
        "status": "too long" if status is None else status,
        "seconds": round(time.monotonic() - start),
        "tests": counted[-1] if counted else "",
        "failed": failed,
        "last": "" if status == 0 else (text.strip().splitlines() or [""])[-1],
    }


def release(name: str, steps: list[str]) -> dict[str, Any]:
    bare = Bare(name, OUT / "roots" / name)
    log = OUT / f"{name}-setup.log"
    bare.make(log)
    current = bare.update(log)
    if bare.run(["apt-get", "-qy", "install", "make", "git"], log, timeout=600):
        raise SystemExit(f"{name}: make and git cannot be installed: {log}")
    clone = ["git", "clone", "-q", "--no-hardlinks", str(ROOT)]
    subprocess.run([*clone, f"{bare.directory}{CLONE}"], check=True)
    row: dict[str, Any] = {"release": RELEASES.get(name, name), "lists": "current"}
    if not current:
        row["lists"] = "older than they may be, taken all the same"
    row |= {each: step(bare, each) for each in steps}
    row["versions"] = {what: bare.said(command) for what, command in _VERSIONS.items()}
    return row


def main() -> int:
    missing = [program for program in ("debootstrap", "bwrap", "git") if not shutil.which(program)]
    if missing or os.geteuid() != 0:
        print(f"distributions: needs root and {', '.join(missing or ['debootstrap'])}")
        return 4
    wanted = sys.argv[1:]
    unknown = set(wanted) - set(RELEASES) - set(STEPS)
    if unknown:
        print(f"distributions: unknown: {', '.join(sorted(unknown))}")
        return 2
    steps = [each for each in STEPS if each in wanted] or list(STEPS)
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / "results.json"
    rows = json.loads(path.read_text()) if path.exists() else {}
    for name in [each for each in RELEASES if each in wanted] or RELEASES:
        rows[name] = release(name, steps)
        path.write_text(json.dumps(rows, indent=1) + "\n")
        for each in steps:
            done = rows[name][each]
            said = "passed" if done["passed"] else f"FAILED ({done['last'][:80]})"
            print(f"{rows[name]['release']:16} {each:5} {done['seconds']:6} s  {said}", flush=True)
    return 0 if all(rows[n][s]["passed"] for n in rows for s in steps if s in rows[n]) else 1


if __name__ == "__main__":
    sys.exit(main())
