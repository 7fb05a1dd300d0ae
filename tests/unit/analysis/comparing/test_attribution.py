"""Where a change comes from."""

import msgspec
import pytest
from samples import recording

from z3trace.analysis.comparing import attribution
from z3trace.analysis.comparing.comparison import compare
from z3trace.analysis.figures.recording import Digest
from z3trace.data.counts import Nesting
from z3trace.data.model import LockClass, Recording, Run


def _held(made: Recording, wait: int, hold: int) -> Digest:
    """Every call with *wait* and *hold* ns on average, and its one call site too."""

    def changed(run: Run) -> Run:
        counts = msgspec.structs.replace(run.operations[0], wait=2000 * wait, hold=2000 * hold)
        site = msgspec.structs.replace(run.sites[0], wait_sum=2000 * wait, hold_sum=2000 * hold)
        return msgspec.structs.replace(run, operations=[counts], sites=[site])

    runs = [changed(run) if run.probed else run for run in made.runs]
    return Digest.of(msgspec.structs.replace(made, runs=runs))


def test_parts_add_up_to_the_latency() -> None:
    sides = _held(recording("before"), 100, 300), _held(recording("after", seed=2), 10, 300)
    (alloc,) = attribution.explained(compare(*sides))
    assert alloc.operation == "alloc"
    assert alloc.wait == pytest.approx((100, 10))
    assert alloc.hold == pytest.approx((300, 300))
    for side in (0, 1):
        assert alloc.latency[side] == pytest.approx(
            alloc.wait[side] + alloc.hold[side] + alloc.rest[side]
        )


def test_a_call_site_s_change_is_that_of_its_wait_and_hold() -> None:
    sides = _held(recording("before"), 100, 300), _held(recording("after", seed=2), 10, 330)
    (site,) = attribution.sites(compare(*sides))
    assert site.where == "z3fold_alloc: page"
    assert site.change() == pytest.approx(-60)


def test_what_is_new_and_what_is_gone() -> None:
    before, after = recording("before"), recording("after", seed=2)
    site = after.session.sites[0]
    session = msgspec.structs.replace(
        after.session,
        locks=[LockClass(name="page", members=["z3fold_pool.lock"])],
        sites=[
            site,
            msgspec.structs.replace(site, number=1),
            msgspec.structs.replace(site, number=2, function="new"),
        ],
    )
    runs = [
        msgspec.structs.replace(run, nesting=[Nesting(held="pool", acquired="page", count=3)])
        if run.probed
        else run
        for run in after.runs
    ]
    changed = msgspec.structs.replace(after, session=session, runs=runs)
    found = compare(Digest.of(before), Digest.of(changed), allow_mismatch=True)
    assert attribution.structure(found) == [
        "new locks: z3fold_pool.lock",
        "gone locks: z3fold_header.page_lock",
        "more lock calls after: new +1, z3fold_alloc +1",
        "new nesting, held > acquired: pool > page (30 times)",
    ]
