"""Runs with the probes of one lock class and of the workload's own lock, in a guest.

Arguments: the target's module, the workload's module, the file to write.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from z3trace.bpf.programs import Programs
from z3trace.data.counts import SiteCounts
from z3trace.probing import ownlock, siteclasses
from z3trace.probing.arming import arm
from z3trace.probing.choice import Choice, Costs
from z3trace.probing.siteclasses import SiteClasses
from z3trace.recording import counters, loading
from z3trace.target import definition, plan
from z3trace.workloads.zpool_bench import ZpoolBench

BENCH = Path("/sys/kernel/debug/zpool_bench")
#: Nothing is freed, so no work item runs, and two runs take the same locks.
EXACT = "allocs=6000,slots=6000,max_size=2000"
BUSY = "threads=2,ops=20000,headless=5,reclaim=5,refuse=20,touches=2"
ALONE = "ops=20000,slots=1024,max_size=200,touches=8"
CLASSES = ("page", "pool", "stale", "slots")


class Guest:
    """Makes runs; what came of each is in *runs*."""

    def __init__(self, module: Path, bench: Path) -> None:
        self._bench = bench
        self._programs = Programs()
        target = definition.load("z3fold")
        self.module = loading.target_module(target, module, load=True, reload=False)
        self.module.before_run()
        self.plan = plan.make(target, module)
        self.runs: list[dict[str, Any]] = []

    def run(
        self, name: str, workload: str, choice: Choice | None, known: SiteClasses | None = None
    ) -> list[SiteCounts]:
        """A run as *choice* says; None: with probes on the workload's own lock."""
        work = ZpoolBench.parse(workload, self._bench)
        work.prepare(1, fast=False)
        own = choice is None
        (BENCH / "own_lock").write_text("1" if own else "0")
        every = Choice(slow_paths=True)
        made = ownlock.plan(self._bench, every) if own else self.plan
        self._programs.clear()
        wanted = choice or ownlock.choice(every)
        armed = arm(self._programs, made, made.address(), Costs(), wanted, known)
        try:
            result = work.run()
            told = json.loads((BENCH / "result").read_text())
        finally:
            armed.close()
        work.finish()
        sites = counters.sites(self._programs, made)
        self.runs.append(
            {
                "name": name,
                "facts": result.facts,
                "own_locks": told["facts"]["own_locks"],
                "attached": sum(site.attached for site in armed.sites),
                "operations": sum(op.attached for op in armed.operations),
                "locks": to_builtins(counters.locks(self._programs, made)),
                "sites": to_builtins(sites),
                "holds": {
                    s.lock: [s.count, s.sum]
                    for s in counters.series(self._programs, made, None)
                    if s.metric == "hold"
                },
                "waits": {
                    s.lock: [s.count, s.sum]
                    for s in counters.series(self._programs, made, None)
                    if s.metric == "wait"
                },
                "ledger": to_builtins(counters.ledger(self._programs, counters.Tally())),
            }
        )
        return sites


def _of(lock_class: str, **more: Any) -> Choice:
    every = Choice(operations=False, slow_paths=True, lock_class=lock_class)
    return replace(every, **more)


def _without(guest: Guest, *actions: str) -> SiteClasses:
    """What is known of the call sites, with a lie: those of *actions* are of class pool."""
    nothing: dict[str, Any] = dict.fromkeys(SiteCounts.__struct_fields__, 0)
    known = siteclasses.of(guest.plan)
    known.learn(
        SiteCounts(**{**nothing, "site": site.number, "locks": ["pool"]})
        for site in guest.plan.sites
        if site.action in actions
    )
    return known


def main(module: Path, bench: Path, output: Path) -> None:
    guest = Guest(module, bench)
    known = siteclasses.of(guest.plan)
    guest.run("exact:unlearned:pool", EXACT, _of("pool"), known)
    known.learn(guest.run("exact:all", EXACT, Choice(slow_paths=True)))
    known.learn(guest.run("busy:all", BUSY, Choice(slow_paths=True)))
    for name in CLASSES:
        guest.run(f"exact:{name}", EXACT, _of(name), known)
        guest.run(f"busy:{name}", BUSY, _of(name), known)
    guest.run("exact:call-site:page", EXACT, _of("page", slow_paths=False), known)
    inside = _of("page", slow_paths=False, lock_mode="function")
    guest.run("exact:function:page", EXACT, inside, known)
    guest.run("without:release", ALONE, _of("page"), _without(guest, "release"))
    guest.run("without:acquire", ALONE, _of("page"), _without(guest, "acquire", "try"))
    guest.run("alone:all", ALONE, Choice(slow_paths=True))
    guest.run("alone:page", ALONE, _of("page"), known)
    guest.run("own-lock", ALONE, None)
    guest.module.after_all()
    output.write_text(json.dumps(guest.runs))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
