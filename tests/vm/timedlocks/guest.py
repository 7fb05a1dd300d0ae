"""In the guest: every scenario of timedlocks, and what its timed build told of it.

Arguments: the module, its target, the file to write, the scenarios.
"""

import sys
import time
from pathlib import Path

import msgspec

from z3trace.recording.timed import TimedModule
from z3trace.target import definition
from z3trace.workloads import modules

PARAMETERS = Path("/sys/module/timedlocks/parameters")


def one(timed: TimedModule, name: str) -> dict[str, object]:
    timed.start()
    start = time.monotonic_ns()
    (PARAMETERS / "run").write_text(name)
    return {
        "took": time.monotonic_ns() - start,
        "wrong": int((PARAMETERS / "wrong").read_text()),
        "truth": int((PARAMETERS / "truth_ns").read_text()),
        "timed": timed.read(),
    }


def main(path: Path, target: str, out: Path, names: list[str]) -> None:
    timed = TimedModule(path, definition.load(target), every=1)
    modules.insert(path)
    found: dict[str, object] = {name: one(timed, name) for name in names}
    sampling = TimedModule(path, definition.load(target), every=8)
    found["sampled"] = one(sampling, "forms")
    modules.remove("timedlocks")
    found["build"] = timed.build
    out.write_bytes(msgspec.json.encode(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
