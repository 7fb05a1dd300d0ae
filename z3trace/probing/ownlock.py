"""A lock of ours, which a workload of ours takes and releases around nothing.

What probes show of such a hold is what a pair of them adds to any hold, in the same
caches and under the same load.  The module has a function for each way in which the
probes of an acquisition and of a release can be run; the lock class of its hold says
which: ``own-jump`` (both are jumps), ``own-trap`` (both are emulated after a trap),
``own-jump-trap`` (the acquisition is a jump, the release is not), ``own-trap-jump``, or
``own-function`` (both are seen in the lock functions).
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from z3trace.code.callsites import Site, methods
from z3trace.code.module import ModuleFile
from z3trace.data.model import LockClass
from z3trace.errors import CannotTraceError
from z3trace.probing.choice import ALL_CPUS, Choice
from z3trace.target.definition import OperationRule, Target
from z3trace.target.plan import Plan

_FUNCTIONS = "bench_own_"
_WORDS = {"jump": "jump", "emulated": "trap", "stepped": "step", "function": "function"}


def choice(wanted: Choice) -> Choice:
    """How our lock is probed in a session that records as *wanted*: in the same way, but
    without operations and for every thread."""
    return replace(
        wanted,
        operations=False,
        process=0,
        processors=ALL_CPUS,
        only_inside=False,
        lock_class="",
    )


def plan(path: Path, wanted: Choice) -> Plan:
    """The lock calls of our functions in the workload's module file *path*, as a target.

    CannotTraceError if the module has no such functions.
    """
    code = ModuleFile(path)
    sites = [site for site in code.sites if site.function.startswith(_FUNCTIONS)]
    if not sites:
        raise CannotTraceError(
            f"{path} has no lock of its own", "'z3trace kernel build --workload' makes one that has"
        )
    if wanted.lock_mode == "function":
        ways = dict.fromkeys((site.number for site in sites), "function")
    else:
        numbers = {site.number for site in sites}
        ways = {**methods(code.alone(numbers, attempts=not wanted.slow_paths))}
    certain = _named(sites, ways)
    sites = [site for site in sites if site.number in certain]
    names = ["other", *dict.fromkeys(certain.values())]
    locks = [LockClass(name=name) for name in names]
    operations = {"own": OperationRule(functions=[_FUNCTIONS])}
    target = Target(name="own-lock", module=code.name, operations=operations)
    return Plan(target, code, False, [], {}, sites, [], locks, certain)


def _named(sites: list[Site], ways: Mapping[int, str]) -> dict[int, str]:
    """Site -> lock class, by the ways in which the two sites of its function are probed;
    a function of which one site has no probe is left out."""
    functions: dict[str, dict[str, Site]] = {}
    for site in sites:
        functions.setdefault(site.function, {})[site.action] = site
    named: dict[int, str] = {}
    for pair in functions.values():
        words = [
            _WORDS[ways[pair[action].number]]
            for action in ("acquire", "release")
            if action in pair and pair[action].number in ways
        ]
        if len(words) == len(pair) == 2:
            name = "-".join(["own", *dict.fromkeys(words)])
            named |= {site.number: name for site in pair.values()}
    return named
