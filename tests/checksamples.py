"""Checks made up for unit and golden tests: what a kernel would have reported."""

from pathlib import Path

from samples import session

from z3trace.data import checkfile
from z3trace.data.checkfile import ConditionInfo, Edge, Header, Incident, Offence, Progress, Step
from z3trace.data.counts import Ledger
from z3trace.data.model import CallSite, Operation, WorkloadResult

ARMED = 1_000_000_000
#: number: (function, line, lock function, action).
SITES = {
    0: ("z3fold_alloc", 100, "_raw_spin_lock", "acquire"),
    1: ("z3fold_alloc", 110, "_raw_spin_lock", "acquire"),
    2: ("z3fold_free", 200, "_raw_spin_unlock", "release"),
    3: ("z3fold_free", 210, "_raw_spin_lock", "acquire"),
}


def header(label: str = "variant", **changes: object) -> Header:
    made = session(label)
    fields: dict[str, object] = {
        "tool": made.tool,
        "created": made.created,
        "target": made.target,
        "label": label,
        "environment": made.environment,
        "module": made.module,
        "workload": made.workload,
        "command": ["z3trace", "check", "--variant", label],
        "lock_mode": "hybrid",
        "probe_digest": made.probe_digest,
        "operations": [
            Operation(name=name, function=f"z3fold_{name}", attached=True)
            for name in ("alloc", "free")
        ],
        "operation_names": ["alloc", "free"],
        "locks": ["other", "page", "pool"],
        "sites": [
            CallSite(
                number=number,
                function=function,
                offset=16 * number,
                lock_function=lock_function,
                action=action,  # type: ignore[arg-type]
                kind="spin",
                file="mm/z3fold.c",
                line=line,
                inlined=["spin_lock"],
                attached=True,
            )
            for number, (function, line, lock_function, action) in SITES.items()
        ],
        "conditions": [
            ConditionInfo(name="eviction refused"),
            ConditionInfo(name="page compacted", reason="none of do_compact_page is there"),
        ],
        "not_judged": {},
        "armed": ARMED,
    }
    return Header(**{**fields, **changes})  # type: ignore[arg-type]


def incident(rule: str, site: int | None, **changes: object) -> Incident:
    fields: dict[str, object] = {
        "rule": rule,
        "time": ARMED + 5_000_000,
        "cpu": 1,
        "task": 42,
        "task_name": "worker",
        "lock": "0xffff888000001010",
        "lock_class": "page",
        "site": site,
        "since": ARMED + 4_000_000,
        "steps": [
            Step(time=ARMED + 4_000_000, lock="0xffff888000001010", site=0, kind="acquires"),
            Step(time=ARMED + 4_500_000, lock="0xffff888000001010", site=2, kind="releases"),
        ],
    }
    return Incident(**{**fields, **changes})  # type: ignore[arg-type]


def progress(**changes: object) -> Progress:
    fields: dict[str, object] = {
        "elapsed": 10_000_000_000,
        "operations": {"alloc": 1000, "free": 900},
        "reached": [0, 1, 2],
        "conditions": [0, 0],
        "edges": [
            Edge(held="page", acquired="pool", count=500, held_site=0, acquired_site=1),
        ],
        "offences": [],
        "crossed": 3,
    }
    return Progress(**{**fields, **changes})  # type: ignore[arg-type]


def end(status: int = 0, **changes: int) -> checkfile.End:
    return checkfile.End(ledger=Ledger(**changes), result=WorkloadResult(status=status))


def clean(label: str = "variant") -> checkfile.Check:
    return checkfile.Check(header=header(label), incidents=[], progress=progress(), end=end())


def broken(label: str = "variant") -> checkfile.Check:
    """A page left locked, and a lock order that is seldom turned around."""
    found = [
        incident("held-at-return", 0, operation="alloc", time=ARMED + 5_000_000),
        incident(
            "order-inversion",
            1,
            time=ARMED + 6_000_000,
            lock_class="pool",
            other_class="page",
            other=0,
            reverse=(3, 0),
        ),
        incident(
            "order-inversion",
            0,
            time=ARMED + 7_000_000,
            other_class="pool",
            other=3,
            reverse=(0, 1),
        ),
    ]
    edges = [
        Edge(held="page", acquired="pool", count=500, held_site=0, acquired_site=1),
        Edge(held="pool", acquired="page", count=7, held_site=3, acquired_site=0),
    ]
    offences = [
        Offence(rule="held-at-return", site=0, count=12),
        Offence(rule="order-inversion", site=0, count=7),
        Offence(rule="order-inversion", site=1, count=400),
    ]
    return checkfile.Check(
        header=header(label),
        incidents=found,
        progress=progress(edges=edges, offences=offences),
        end=end(),
    )


def write(check: checkfile.Check, path: Path, *, whole: bool = True) -> None:
    writer = checkfile.Writer(path)
    writer.write(check.header)
    for one in check.incidents:
        writer.write(one)
    if check.progress:
        writer.write(check.progress)
    if whole and check.end:
        writer.write(check.end)
        writer.finish()
