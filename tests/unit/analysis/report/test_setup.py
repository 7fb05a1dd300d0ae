"""The set-up text."""

import msgspec
from samples import recording, seen

from z3trace.analysis.comparing.comparison import Comparison, compare
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.report import setup
from z3trace.data.model import LockClass, ModuleInfo


def _found(**changes: object) -> Comparison:
    sides = recording("before"), recording("after", seed=2, **changes)
    return compare(*map(Digest.of, sides), allow_mismatch=True)


def test_the_facts_that_repeat_the_measurement() -> None:
    facts = dict(setup.facts(_found()))
    assert facts["machine"] == "2 CPUs, a CPU"
    assert facts["before"] == "before (built, 0123456789abcdef)"
    assert facts["command"] == "z3trace record"
    assert facts["preemption"] == "unknown"


def test_a_packaged_module_is_told_by_its_source() -> None:
    module = ModuleInfo(name="z3fold", source_version="ABCD")
    assert dict(setup.facts(_found(module=module)))["after"] == "after (packaged, srcversion ABCD)"


def test_where_waits_are_seen_is_told_if_it_is_elsewhere() -> None:
    session = recording("x").session
    assert setup.lock_probes(session) == "callsite"
    slow = msgspec.structs.replace(session, waits="slow-path")
    assert setup.lock_probes(slow).startswith("callsite, waits in the slow paths")
    assert setup.lock_probes(msgspec.structs.replace(slow, lock_mode="none")) == "none"


def test_runs_are_counted_by_kind() -> None:
    assert setup.runs(_found()) == "a side 10 with no probes, all probes; interleaved"
    some = Digest.of(seen("a")), Digest.of(seen("b", ways=("none", "timed"), runs=6))
    assert setup.runs(compare(*some, allow_mismatch=True)).startswith(
        "a side 10 and 6 with no probes, timed build; 10 and 0 with workload's clock, "
    )


def test_how_it_was_measured_is_six_lines() -> None:
    brief = dict(setup.brief(_found()))
    assert list(brief) == ["kernel", "machine", "sides", "workload", "runs", "tool"]
    assert brief["sides"].startswith("before (built, ")
    assert " -> after (built, " in brief["sides"]


def test_lock_classes_with_their_members_on_both_sides() -> None:
    locks = [LockClass(name="page", members=["z3fold_pool.lock"]), LockClass(name="other")]
    assert setup.lock_members(_found(locks=locks)) == [
        ("page", "z3fold_header.page_lock", "z3fold_pool.lock")
    ]
