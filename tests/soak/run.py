"""``make soak``: what shows only in the long run; an hour, and not part of ``make test``.

- 200 times attaching and detaching, the target's module unloaded and loaded in between;
- ten minutes of full load recorded, nothing lost;
- five million operations of every healthy module under check, no violation.

Each in a guest of its own.  Writes build/soak/results.json, a flat ``figures`` object.
Arguments: the parts to run (cycles, load, check), by default all.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from z3trace import paths
from z3trace.data import runfile
from z3trace.kernels import build, fetch
from z3trace.kernels import variant as variants

ROOT = Path(__file__).parents[2]
OUT = ROOT / "build/soak"
Z3TRACE = [sys.executable, "-m", "z3trace"]
CYCLES = 200
MINUTES = 10
OPERATIONS = 5_000_000
_RECLAIM = "slots=64,headless=10,reclaim=20,refuse=30,drain=1"
#: Name -> (target, variant to build or none for the packaged module, more of the workload).
#: Reclaim in the packaged z3fold corrupts its own lists within seconds, by a bug of that
#: kernel (docs/measured.md); zsmalloc has no reclaim in 6.1.
HEALTHY = {
    "page-lock": ("z3fold", "page-lock", _RECLAIM),
    "pool-lock": ("z3fold", "pool-lock", _RECLAIM),
    "packaged-z3fold": ("z3fold", "", "slots=64,headless=10"),
    "zsmalloc": ("zsmalloc", "", "slots=64"),
    "zbud": ("zbud", "", _RECLAIM),
}
Figures = dict[str, float]


def guest(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run *words* in a guest, in OUT, whatever their exit status."""
    command = [*Z3TRACE, "vm", "--deadline", "60m", "--share", str(OUT), "--", *words]
    return subprocess.run(command, cwd=OUT, stdout=subprocess.PIPE, text=True, check=False)


def module(variant: str) -> list[str]:
    """Options that load the module of *variant*, or the packaged one."""
    if not variant:
        return ["--load"]
    kernel = fetch.cached(None, print)
    built = build.build_variant(kernel, "mm/z3fold.c", variants.load(variant), print)
    return ["--load", "--module", str(built.path)]


def cycles() -> Figures:
    script = str(ROOT / "tests/vm/cycles.py")
    result = guest(sys.executable, script, str(CYCLES), "hybrid")
    result.check_returncode()
    found = json.loads(result.stdout.splitlines()[-1])
    left = {name: found["after"][name] - found["before"][name] for name in found["before"]}
    return {"cycles": CYCLES, "cycles.seconds_each": found["seconds"]} | {
        f"cycles.left.{name}": value for name, value in left.items()
    }


def load() -> Figures:
    """Runs of the demo's module, both CPUs busy, until ten minutes were recorded."""
    words = ["record", *module("page-lock"), "--runs", "1", "--unprobed", "0", "--force"]
    words += ["-o", "load.z3t", "--workload"]
    text = "zpool-bench:threads=2,ops={},headless=5,reclaim=5,refuse=20"
    rate = 50_000 / _recorded(words, text.format(50_000))["load.seconds"]
    total: Figures = {"load.seconds": 0.0}
    while total["load.seconds"] < MINUTES * 60:
        found = _recorded(words, text.format(int(rate * MINUTES * 30)))
        total = {name: total.get(name, 0) + value for name, value in found.items()}
    return total


def _recorded(words: list[str], workload: str) -> Figures:
    guest(*words, workload).check_returncode()
    (run,) = runfile.read(OUT / "load.z3t").runs
    if run.ledger is None:
        raise RuntimeError("a probed run without a ledger")
    truth = {one.operation: one.calls for one in run.result.operations}
    return {
        "load.seconds": run.result.elapsed / 1e9,
        "load.operations": sum(truth.values()),
        "load.lock_acquisitions": sum(lock.acquisitions for lock in run.locks),
        "load.operations_not_seen": sum(truth.values())
        - sum(c.returns for c in run.operations if c.operation in truth),
        "load.lost_events": run.ledger.lost(),
    }


def check() -> Figures:
    figures: Figures = {}
    for name, (target, variant, more) in HEALTHY.items():
        text = f"zpool-bench:type={target},threads=2,ops={OPERATIONS // 2},{more}"
        words = ["check", "--target", target, *module(variant), "--force", "-o", name]
        started = time.monotonic()
        guest(*words, "--workload", text)
        report: dict[str, Any] = json.loads((OUT / name / "check.json").read_bytes())
        done = report["exercised"]
        figures |= {
            f"check.{name}.operations": sum(done["operations"].values()),
            f"check.{name}.reclaims": done["operations"].get("reclaim", 0),
            f"check.{name}.violations": len(report["violations"]),
            f"check.{name}.lost_events": sum(report["lost_events"].values()),
            f"check.{name}.rules_not_judged": len(report["not_judged"]),
            f"check.{name}.sites_reached_percent": done["percent"],
            f"check.{name}.seconds": time.monotonic() - started,
        }
        print(f"{name}: {report['verdict']}", flush=True)  # noqa: T201
    return figures


PARTS: dict[str, Callable[[], Figures]] = {"check": check, "load": load, "cycles": cycles}


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / "results.json"
    for name in sys.argv[1:] or PARTS:
        found = PARTS[name]()
        # Read only now: parts may run side by side.
        figures: Figures = json.loads(path.read_bytes())["figures"] if path.exists() else {}
        figures |= found
        paths.write_atomic(path, json.dumps({"figures": figures}, indent=1) + "\n")
        for key, value in found.items():
            print(f"{key:44} {value:.10g}", flush=True)  # noqa: T201
    print(f"Wrote {path}")  # noqa: T201


if __name__ == "__main__":
    main()
