"""``make kernels``: every target that ships, compared and checked on every series of kernels.

``python tests/vm/series.py [SERIES...] [TARGET...] [ab|check] [RUNS]`` does what is named, by
default all, a guest at a time.  The pair of a target is compared (``ab``) and its healthy
variant checked, each over a million operations.  build/kernels/results.json has one row of
figures each; what is done again replaces its row.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
OUT = ROOT / "build/kernels"
MILLION = 1_000_000
Z3TRACE = [sys.executable, "-m", "z3trace"]
RUNS = 20
#: Target -> the kernels that have it, the variant that is checked, the lock that differs
#: between its pair (none: it has no pair), and the workload of a check.
_OPS = f"threads=2,ops={MILLION // 2 + 5000},slots=64"
TARGETS = {
    "z3fold": (
        *(("6.1", "6.12"), "page-lock", "page"),
        f"zpool-bench:{_OPS},headless=10,reclaim=20,refuse=30,drain=1",
    ),
    "zsmalloc": (
        *(("6.1", "6.12", "7.2"), "stock", "size-class"),
        f"zs-bench:{_OPS},headless=10,compact=2,migrate=10,drain=1",
    ),
    "zbud": (("6.1", "6.12"), "stock", "", f"zpool-bench:type=zbud,{_OPS}"),
}
SERIES = ("6.1", "6.12", "7.2")
#: Before 6.4 an allocator had reclaim, and zpool_bench refuses what a kernel has not.
_WITH_RECLAIM = ("6.1",)


def _run(words: list[str], log: Path) -> tuple[int, float]:
    began = time.monotonic()
    with log.open("w") as file:
        status = subprocess.run(
            [*Z3TRACE, *words], stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=False
        ).returncode
    return status, time.monotonic() - began


def compare(series: str, target: str, runs: int) -> dict[str, Any]:
    """The pair of a target, and whether each of its probed runs agrees with the workload."""
    directory = OUT / f"{series}-{target}-ab"
    directory.mkdir(parents=True, exist_ok=True)
    from z3trace.target import definition

    # Six runs with probes, of both sides together, are to come to a million.
    workload = definition.load(target).defaults.compare.replace(",ops=60000", ",ops=90000")
    words = ["ab", "--target", target, "--release", series, "--runs", str(runs)]
    words += ["--workload", workload]
    status, seconds = _run([*words, "-o", str(directory), "--force"], directory / "log")
    row: dict[str, Any] = {"status": status, "seconds": round(seconds)}
    if status:
        return {**row, "passed": False, "why": _last_line(directory / "log")}
    row |= _counted([directory / name for name in ("before.z3t", "after.z3t")])
    report = json.loads((directory / "report.json").read_bytes())
    lock = TARGETS[target][2]
    for name, metric, of in (("throughput", "throughput", ""), ("wait", "wait", lock)):
        (row[name],) = (
            {key: found[key] for key in ("before", "after", "ratio", "ci", "verdict")}
            for found in report["metrics"]
            if (found["metric"], found["statistic"], found["lock"]) == (metric, "mean", of)
        )
    row["runs"] = runs
    whole = row["operations"] >= MILLION and not row["unequal"] and not row["lost"]
    return {**row, "passed": whole and row["wait"]["verdict"] == "better"}


def _counted(files: list[Path]) -> dict[str, Any]:
    from vm.accounts import agrees_with_the_workload, nothing_lost
    from z3trace.data import runfile

    operations, unequal, lost = 0, "", ""
    for file in files:
        recording = runfile.read(file)
        for run in recording.probed():
            operations += sum(truth.calls for truth in run.result.operations)
        unequal = unequal or _fault(agrees_with_the_workload, recording)
        lost = lost or _fault(nothing_lost, recording)
    return {"operations": operations, "unequal": unequal, "lost": lost}


def _fault(judge: Callable[[Any], None], recording: object) -> str:
    """What an account finds wrong; empty if nothing."""
    try:
        judge(recording)
    except AssertionError as error:
        return str(error) or "unequal"
    return ""


def check(series: str, target: str, runs: int) -> dict[str, Any]:
    """A healthy variant, with all that the workload can do to it."""
    del runs
    _, variant, _, workload = TARGETS[target]
    if series not in _WITH_RECLAIM:
        workload = workload.replace("reclaim=20,refuse=30,", "")
    directory = OUT / f"{series}-{target}-check"
    directory.mkdir(parents=True, exist_ok=True)
    words = ["check", "--target", target, "--release", series, "--variant", variant]
    words += ["--workload", workload, "-o", str(directory), "--force"]
    status, seconds = _run(words, directory / "log")
    row: dict[str, Any] = {"status": status, "seconds": round(seconds)}
    if not (directory / "check.json").exists():
        return {**row, "passed": False, "why": _last_line(directory / "log")}
    report = json.loads((directory / "check.json").read_bytes())
    row["verdict"] = report["verdict"]
    row["operations"] = sum(report["exercised"]["operations"].values())
    row["lost"] = report["lost_events"]
    whole = row["operations"] >= MILLION and not row["lost"]
    return {**row, "passed": status == 0 and whole and row["verdict"] == "clean"}


def _last_line(log: Path) -> str:
    return (log.read_text(errors="replace").strip().splitlines() or [""])[-1]


VERBS = {"ab": compare, "check": check}


def main() -> int:
    sys.path.insert(0, str(ROOT / "tests"))
    wanted = [word for word in sys.argv[1:] if not word.isdigit()]
    runs = next((int(word) for word in sys.argv[1:] if word.isdigit()), RUNS)
    unknown = set(wanted) - {*SERIES, *TARGETS, *VERBS}
    if unknown:
        print(f"kernels: unknown: {', '.join(sorted(unknown))}")
        return 2
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / "results.json"
    rows: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    passed = True
    for series in _of(SERIES, wanted):
        for target in _of(TARGETS, wanted):
            has, _, lock, _ = TARGETS[target]
            for verb in _of(VERBS, wanted):
                if series not in has or (verb == "ab" and not lock):
                    continue
                name = f"{series} {target} {verb}"
                row = rows[name] = VERBS[verb](series, target, runs)
                path.write_text(json.dumps(rows, indent=1) + "\n")
                print(f"{name:20} {'passed' if row['passed'] else 'FAILED'}  {row}", flush=True)
                passed = passed and row["passed"]
    return 0 if passed else 1


def _of(known: Any, wanted: list[str]) -> list[str]:
    return [each for each in known if each in wanted] or list(known)


if __name__ == "__main__":
    sys.exit(main())
