"""What is said beside the figures."""

import msgspec
from samples import recording

from z3trace.analysis.comparing.caveats import caveats
from z3trace.analysis.figures.recording import Digest
from z3trace.data.counts import Ledger
from z3trace.data.model import ModuleInfo, Recording, WorkloadResult


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
        "after: 1 of 1 lock call site could not be probed (z3fold_alloc)",
        "after: operation alloc was not recorded: why",
        "after: the workload failed in 3 of 3 runs",
        "after: the recording was cut short",
        "after: not counted: 3 whose workload failed of 3 runs",
    ):
        assert sentence in said, said
    made = msgspec.structs.replace(made, session=session, runs=runs)
    after = Digest.of(made, failed=True)
    said = list(caveats(Digest.of(recording("before")), after, paired=True, needed=7))
    assert any(line.startswith("after: 6 of ") for line in said), said
    assert "after: the workload failed in 3 of 3 runs, which count all the same" in said
    few = "only 0 with no probes, 3 with all probes a side: with fewer than 7 runs no difference"
    assert any(line.startswith(few) for line in said), said


def test_the_same_on_both_sides_is_said() -> None:
    build = ModuleInfo(name="z3fold", build_id="0123456789abcdef0123")
    one, other = (Digest.of(recording(name, module=build, seed=i)) for i, name in enumerate("ab"))
    (said,) = (text for text in caveats(one, other, paired=True) if "same" in text)
    assert "the same build of z3fold (build id 0123456789ab)" in said
    (said,) = (text for text in caveats(one, one.named("b"), paired=True) if "same" in text)
    assert "the same recording" in said
    made = recording("a", module=build)
    slower = msgspec.structs.replace(made.runs[0], series=recording("a", seed=9).runs[0].series)
    edited = Digest.of(msgspec.structs.replace(made, runs=[slower, *made.runs[1:]]))
    (said,) = (text for text in caveats(Digest.of(made), edited, paired=True) if "same" in text)
    assert "the same build" in said, "it has other figures"
    unknown = ModuleInfo(name="z3fold")
    pair = (Digest.of(recording(name, module=unknown, seed=i)) for i, name in enumerate("ab"))
    assert not any("same" in text for text in caveats(*pair, paired=True))


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
