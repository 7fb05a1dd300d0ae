"""What a comparison comes to."""

from samples import recording

from z3trace.analysis.comparing.comparison import compare
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.report import headline


def test_each_operation_has_one_claim_and_each_lock_its_wait_and_hold() -> None:
    found = compare(
        Digest.of(recording("before")), Digest.of(recording("after", scale=0.7, seed=2))
    )
    claims = headline.claims(found)
    assert [claim.split(" ")[0] for claim in claims] == ["throughput", "mean", "mean", "mean"]
    assert claims[1].startswith("mean latency of alloc ")
    assert claims[1].endswith(": better")
    assert claims[2].startswith("mean wait for the page lock ")
    assert claims[2].endswith(": better (all probes, 11% the instrument's)")
    assert claims[3].startswith("mean hold of the page lock ")


def test_verdicts_are_counted() -> None:
    same = Digest.of(recording("before"))
    counted = headline.verdict_counts(compare(same, same))
    assert counted.startswith("0 better, 0 worse, ")
    assert sum(int(part.split()[0]) for part in counted.split(", ")) == 13
