"""The bug variants, and what a check of each must say.

``python tests/vm/bugs.py ROUNDS [VARIANT...]`` checks every variant that often, two
guests at a time, and writes build/bugs/results.json: how many were caught, and how long
after the hang the report was there.
"""

import json
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
#: A series that has z3fold with reclaim.
RELEASE = "6.1"


@dataclass(frozen=True)
class Bug:
    """*code* is what stands in the source at the line that is told."""

    rule: str
    lock: str
    operation: str
    function: str
    code: str
    target: str = "z3fold"


EXPECTED = {
    "bug-page-left-locked": Bug(
        "held-at-return", "page", "reclaim", "z3fold_reclaim_page", "z3fold_page_lock(zhdr)"
    ),
    "bug-headless-unlock": Bug(
        "release-unheld", "page", "free", "z3fold_free", "z3fold_page_unlock(zhdr)"
    ),
    "bug-pool-unlock-unheld": Bug(
        "release-unheld", "pool", "reclaim", "z3fold_reclaim_page", "spin_unlock(&pool->lock)"
    ),
    "bug-lock-order": Bug(
        "order-inversion", "page", "alloc", "z3fold_alloc", "z3fold_page_lock(zhdr)"
    ),
    "bug-double-lock": Bug(
        "double-acquire", "page", "free", "do_compact_page", "z3fold_page_lock(zhdr)"
    ),
    "bug-class-left-locked": Bug(
        *("held-at-return", "size-class", "free", "zs_free", "spin_lock(&"), target="zsmalloc"
    ),
    "bug-class-unlocked-twice": Bug(
        *("release-unheld", "size-class", "free", "zs_free", "spin_unlock(&"), target="zsmalloc"
    ),
}
#: Caught by the path it takes and by the crash, not by a rule of locks.
EMPTY_LRU = "bug-empty-lru"
VARIANTS = (*EXPECTED, EMPTY_LRU)


@dataclass
class Outcome:
    """One check of one variant."""

    variant: str
    status: int
    said: str
    report: dict[str, Any]
    #: Seconds from the last thing the guest said of locks to the report on the host.
    delay: float
    seconds: float


def check(variant: str, directory: Path, *more: str, release: str = RELEASE) -> Outcome:
    """Check *variant* in a guest of the kernel *release*, the report in *directory*."""
    directory.mkdir(parents=True, exist_ok=True)
    words = ["check", "--target", target_of(variant), "--release", release, "--variant", variant]
    words += ["-o", str(directory), "--force", *more]
    started = time.time()
    booted = started
    with subprocess.Popen(
        [sys.executable, "-m", "z3trace", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        lines = []
        for line in process.stdout or ():
            lines.append(line)
            # A guest that hangs while it boots is booted again.
            if "booting" in line:
                booted = time.time()
    file = directory / "check.json"
    report = json.loads(file.read_bytes()) if file.exists() else {}
    ended = file.stat().st_mtime if report else time.time()
    # The guest's clock begins when it boots.
    last = max(
        (one["time"] for v in report.get("violations", []) for one in v["instances"]), default=0.0
    )
    hung = booted + _armed(directory) + last
    return Outcome(
        variant, process.returncode, "".join(lines), report, ended - hung, ended - started
    )


def _armed(directory: Path) -> float:
    for name in ("check.z3c", "check.z3c.part"):
        if (directory / name).exists():
            with (directory / name).open("rb") as file:
                return int(json.loads(file.readline() or b'{"armed": 0}')["armed"]) / 1e9
    return 0.0


def target_of(variant: str) -> str:
    return EXPECTED[variant].target if variant in EXPECTED else "z3fold"


def source_line(variant: str, line: int) -> str:
    """A line of the source that the newest build of *variant* was made from."""
    from z3trace import paths

    target = target_of(variant)
    found = (paths.cache() / "modules").glob(f"*/{target}*-{variant}-*/{target}.c")
    newest = max(found, key=lambda path: path.stat().st_mtime)
    return newest.read_text().splitlines()[line - 1]


def missed(outcome: Outcome) -> str:
    """Why a bug counts as not caught by its rule; empty if it was."""
    if outcome.variant == EMPTY_LRU:
        return _empty_lru_missed(outcome)
    bug = EXPECTED[outcome.variant]
    if outcome.status != 3:
        return f"exit status {outcome.status}: {outcome.said[-2000:]}"
    first = outcome.report["violations"][0]
    told = (first["rule"], first["lock"], first["operation"] or bug.operation)
    if told != (bug.rule, bug.lock, bug.operation):
        return f"told {told}"
    return _misplaced(outcome.variant, first)


def _misplaced(variant: str, place: dict[str, Any]) -> str:
    """Why *place* is not where the bug is; empty if it is."""
    bug = EXPECTED[variant]
    if not place["function"].startswith(bug.function) or not place["file"].endswith(
        f"{bug.target}.c"
    ):
        return f"told {place['function']} in {place['file']}"
    code = source_line(variant, place["line"])
    return "" if bug.code in code else f"line {place['line']} is {code.strip()!r}"


def _empty_lru_missed(outcome: Outcome) -> str:
    if outcome.status != 128 or not outcome.report:
        return f"exit status {outcome.status}: {outcome.said[-2000:]}"
    conditions = {one["name"]: one["count"] for one in outcome.report["exercised"]["conditions"]}
    if not conditions["reclaim with an empty LRU list"]:
        return f"not met: {conditions}"
    trace = "\n".join(outcome.report["hang"]["trace"])
    return "" if re.search(r"NULL pointer|z3fold_reclaim_page", trace) else f"no oops: {trace}"


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    variants = sys.argv[2:] or list(VARIANTS)
    out = ROOT / "build/bugs"
    jobs = [(variant, number) for number in range(rounds) for variant in variants]

    def run(job: tuple[str, int]) -> tuple[str, str, float]:
        outcome = check(job[0], out / f"{job[0]}-{job[1]}")
        why = missed(outcome)
        print(
            f"{job[0]} {job[1] + 1}/{rounds}: {why or 'caught'}, {outcome.seconds:.0f} s, "
            f"{outcome.delay:.0f} s after",
            flush=True,
        )
        return job[0], why, outcome.delay

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(run, jobs))
    figures: dict[str, float] = {}
    for variant in variants:
        mine = [one for one in results if one[0] == variant]
        figures[f"caught.{variant}"] = sum(not why for _, why, _ in mine) / len(mine)
        figures[f"report_after_seconds.{variant}"] = max(delay for *_, delay in mine)
    figures["rounds"] = rounds
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.json").write_text(json.dumps({"figures": figures}, indent=1) + "\n")
    for name, value in figures.items():
        print(f"{name:44} {value:.4g}")
    return int(any(why for _, why, _ in results))


if __name__ == "__main__":
    sys.exit(main())
