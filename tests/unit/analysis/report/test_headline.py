"""What a comparison comes to."""

from dataclasses import replace

from samples import recording

from z3trace.analysis.comparing.comparison import Metric, compare
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.run import Key
from z3trace.analysis.report import headline
from z3trace.analysis.statistics.effect import Effect
from z3trace.analysis.statistics.verdict import Verdict


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


def test_locks_that_got_better_are_told_by_what_they_save_and_worse_ones_always() -> None:
    def line(metric: str, lock: str, after: float, verdict: Verdict) -> Metric:
        effect = Effect(1000, after, after / 1000, 0.5, 0.9, 0.001, 10, 10)
        key = Key(metric, "", lock, "mean", "ns")
        share = (0.1, 0.1)
        return Metric(key, effect, 0.01, verdict, 0.1, None, "timed", share)

    same = Digest.of(recording("before", runs=5))
    often = [
        replace(
            line("acquisitions", lock, 1000, "not tested"),
            effect=Effect(*[n] * 2, 1, 1, 1, 1, 9, 9),
        )
        for n, lock in enumerate("abcdef")
    ]
    lines = [line("hold", lock, 500, "better") for lock in "abcdef"]
    lines += [line("wait", "a", 1100, "worse"), *often]
    told = headline.claims(replace(compare(same, same), metrics=lines))
    # A lock that is never taken in an operation saves nothing of it, and one saves less.
    assert [claim.split()[4] for claim in told] == ["a", "c", "d", "e", "f"]
    assert "wait for the a lock" in told[0]
