"""Whether two recordings may be compared."""

import msgspec
import pytest
from samples import recording, seen

from z3trace.analysis.comparing import mismatch
from z3trace.analysis.comparing.comparison import Comparison, compare
from z3trace.analysis.figures.recording import Digest
from z3trace.data.counts import Ledger
from z3trace.data.model import Recording
from z3trace.errors import IncomparableError


def compared(before: Recording, after: Recording, *, allow_mismatch: bool = False) -> Comparison:
    return compare(Digest.of(before), Digest.of(after), allow_mismatch=allow_mismatch)


def test_recordings_that_differ_in_what_matters_are_refused() -> None:
    other = recording("after", workload="another one")
    with pytest.raises(IncomparableError, match=r"workload +zpool-bench") as raised:
        compared(recording("before"), other)
    assert raised.value.exit_code == 5
    allowed = compared(recording("before"), other, allow_mismatch=True)
    assert any("workload differs" in caveat for caveat in allowed.caveats)


def test_loss_forbids_a_verdict() -> None:
    import msgspec

    lossy = recording("before")
    runs = [
        msgspec.structs.replace(r, ledger=Ledger(skipped_programs=50)) if r.probed else r
        for r in lossy.runs
    ]
    with pytest.raises(IncomparableError, match="500 of .* events were lost"):
        compared(msgspec.structs.replace(lossy, runs=runs), recording("after"))


@pytest.mark.parametrize(
    ("ledger", "unseen", "lock_mode", "told"),
    [
        (Ledger(unmatched_releases=50), True, "callsite", "record again with --locks hybrid"),
        (Ledger(unmatched_releases=50), True, "hybrid", "with a lighter load"),
        (Ledger(unmatched_releases=50), False, "callsite", "with a lighter load"),
        (Ledger(slot_collisions=50), False, "callsite", "with a lighter load"),
        (Ledger(skipped_programs=50), False, "callsite", "such as a second recording"),
    ],
)
def test_why_events_were_lost_is_told_as_far_as_it_is_known(
    ledger: Ledger, unseen: bool, lock_mode: str, told: str
) -> None:
    def lossy(label: str) -> Recording:
        made = recording(label, runs=5, lock_mode=lock_mode)
        site = msgspec.structs.replace(made.session.sites[0], attached=not unseen)
        return msgspec.structs.replace(
            made,
            session=msgspec.structs.replace(made.session, sites=[site]),
            runs=[
                msgspec.structs.replace(run, ledger=ledger) if run.probed else run
                for run in made.runs
            ],
        )

    with pytest.raises(IncomparableError) as raised:
        compared(lossy("before"), lossy("after"))
    assert told in raised.value.hint
    assert ("1 of 1 lock call site carried no probe, in z3fold_alloc" in raised.value.hint) == (
        told == "record again with --locks hybrid"
    )


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("target", "zbud", "target"),
        ("workload", "another", "workload"),
        ("lock_mode", "hybrid", "lock mode"),
        ("probe_digest", "1" * 16, "probe programs"),
        ("waits", "slow-path", "waits seen"),
        ("operations", [], "operations"),
    ],
)
def test_each_difference_that_matters_is_told(field: str, value: object, told: str) -> None:
    sides = Digest.of(recording("before")), Digest.of(recording("after", **{field: value}))
    assert [name for name, _, _ in mismatch.mismatches(*sides)] == [told]


def test_the_label_and_the_module_are_what_is_compared() -> None:
    assert mismatch.mismatches(*(Digest.of(recording(name)) for name in ("a", "b"))) == []


def test_coverage_in_words_that_compare() -> None:
    made = recording("x")
    unseen = msgspec.structs.replace(made.session.sites[0], attached=False)
    assert mismatch.coverage(Digest.of(made)) == "all call sites"
    session = msgspec.structs.replace(made.session, sites=[unseen])
    missing = Digest.of(msgspec.structs.replace(made, session=session))
    assert mismatch.coverage(missing) == "all but those in z3fold_alloc"
    assert mismatch.coverage(Digest.of(recording("x", lock_mode="none"))) == "no locks"


def test_the_probes_coverage_matters_only_to_figures_of_probes() -> None:
    made = seen("a")
    blind = msgspec.structs.replace(
        made.session, sites=[msgspec.structs.replace(made.session.sites[0], attached=False)]
    )
    sides = Digest.of(made), Digest.of(msgspec.structs.replace(made, session=blind))
    assert mismatch.mismatches(*sides) == []
    probed = [
        Digest.of(msgspec.structs.replace(seen("x", ways=("lock:page",)), session=one.session))
        for one in sides
    ]
    assert [name for name, _, _ in mismatch.mismatches(*probed)] == ["coverage"]
