"""Attach and detach many times, reloading the target's module in between; prints JSON.

Run in a guest by test_probes: arguments are the number of cycles and the lock mode.
"""

import json
import resource
import sys
import time
from pathlib import Path

from z3trace import tools
from z3trace.recording import session
from z3trace.target import definition

EVENTS = Path("/sys/kernel/tracing/kprobe_events")


def state() -> dict[str, int]:
    return {
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "events": len(EVENTS.read_text().splitlines()),
        "rss_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "references": int(Path("/sys/module/z3fold/refcnt").read_text()),
    }


def main() -> None:
    cycles, mode = int(sys.argv[1]), sys.argv[2]
    target = definition.load("z3fold")
    tools.run(["modprobe", "z3fold"])
    (recorder,) = session.recorders(
        target, [None], session.Wanted(mode, calibrate=False), lambda _: None
    )
    recorder.attach("all").close()
    before = state()
    start = time.monotonic()
    for _ in range(cycles):
        armed = recorder.attach("all")
        armed.close()
        tools.run(["rmmod", "z3fold"])
        tools.run(["modprobe", "z3fold"])
    took = (time.monotonic() - start) / cycles
    print(json.dumps({"before": before, "after": state(), "seconds": took}))  # noqa: T201


if __name__ == "__main__":
    main()
