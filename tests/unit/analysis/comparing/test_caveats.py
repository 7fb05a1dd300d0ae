"""What is said beside the figures."""

import msgspec
from samples import recording

from z3trace.analysis.comparing.caveats import caveats
from z3trace.analysis.figures.recording import Digest
from z3trace.data.counts import Ledger
from z3trace.data.model import Recording, WorkloadResult


def _said(after: Recording, *, paired: bool = True) -> list[str]:
    return list(caveats(Digest.of(recording("before")), Digest.of(after), paired=paired))


def test_losses_failures_and_what_was_not_seen() -> None:
    made = recording("after")
    runs = [
        msgspec.structs.replace(
            run, ledger=Ledger(depth_overflows=2), result=WorkloadResult(status=1)
        )
        for run in made.runs[:3]
    ]
    session = msgspec.structs.replace(
        made.session,
        sites=[msgspec.structs.replace(made.session.sites[0], attached=False)],
        operations=[
            msgspec.structs.replace(made.session.operations[0], attached=False, reason="why")
        ],
    )
    said = _said(msgspec.structs.replace(made, session=session, runs=runs, complete=False))
    for sentence in (
        "after: 1 of 1 lock call sites could not be probed (z3fold_alloc)",
        "after: operation alloc was not recorded: why",
        "after: the workload failed in 3 of 3 runs",
        "after: the recording was cut short",
        "only 0 with no probes, 3 with all probes a side: no verdicts below 5 runs",
    ):
        assert sentence in said, said
    assert any(line.startswith("after: 6 of ") for line in said), said


def test_nothing_is_said_twice_or_of_nothing() -> None:
    said = _said(recording("after"))
    assert len(set(said)) == len(said)
    assert not any("not interleaved" in line for line in said)
    assert any("not interleaved" in line for line in _said(recording("after"), paired=False))


def test_what_holds_for_both_sides_is_said_once() -> None:
    def with_warm_up(label: str, unused: str) -> Recording:
        made = recording(label)
        first = msgspec.structs.replace(made.runs[0], unused=unused, number=99)
        return msgspec.structs.replace(made, runs=[first, *made.runs])

    both = Digest.of(with_warm_up("a", "warm-up")), Digest.of(with_warm_up("b", "warm-up"))
    assert "a and b: not counted: 1 to warm up of 21 runs" in list(caveats(*both, paired=True))
    differ = Digest.of(with_warm_up("a", "warm-up")), Digest.of(with_warm_up("b", "disturbed"))
    said = list(caveats(*differ, paired=True))
    assert "a: not counted: 1 to warm up of 21 runs" in said
    assert "b: not counted: 1 that the host disturbed (made again) of 21 runs" in said
