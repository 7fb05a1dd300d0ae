"""KTAP as a kernel's CI reads it: a plan, every test once, nothing unjudged passes."""

import re

from checksamples import broken, clean
from msgspec import structs
from samples import recording

from z3trace.analysis.checks import judgement
from z3trace.analysis.comparing.comparison import compare
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.report import ktap
from z3trace.data.rules import RULES

_RESULT = re.compile(r"(not ok|ok) (\d+) (\S+)(?: # SKIP .+)?")


def _read(text: str) -> dict[str, str]:
    """Name -> result, of a document without groups; fails if it is none."""
    version, plan, *lines = text.splitlines()
    assert version == "KTAP version 1"
    results = [line for line in lines if not line.startswith("# ")]
    assert plan == f"1..{len(results)}"
    found = {}
    for number, line in enumerate(results, 1):
        match = _RESULT.fullmatch(line)
        assert match, line
        assert int(match[2]) == number
        found[match[3]] = "skip" if "# SKIP" in line else match[1]
    return found


def test_a_broken_rule_fails_and_says_where() -> None:
    text = ktap.document(ktap.of_check(judgement.report(broken())))
    found = _read(text)
    assert len(found) == len(RULES) + 1
    assert found["held-at-return"] == "not ok"
    assert found["release-unheld"] == found["kernel-lives"] == "ok"
    assert found["new-nesting"] == "skip"
    assert "# page at z3fold.c:100, 12 times\nnot ok 1 held-at-return\n" in text


def test_a_lost_kernel_passes_nothing() -> None:
    found = _read(ktap.document(ktap.of_check(judgement.report(clean(), lost="it hung"))))
    assert set(found.values()) == {"skip", "not ok"}
    assert found["kernel-lives"] == "not ok"


def test_a_rule_that_is_not_judged_is_skipped() -> None:
    check = clean()
    header = structs.replace(check.header, not_judged={"sleep-in-atomic": "no\nswitch"})
    text = ktap.document(ktap.of_check(judgement.report(structs.replace(check, header=header))))
    assert _read(text)["sleep-in-atomic"] == "skip"


def test_a_regression_fails_and_what_is_not_settled_is_skipped() -> None:
    worse = compare(Digest.of(recording("a")), Digest.of(recording("b", scale=2.0, seed=2)))
    found = _read(ktap.document(ktap.of_comparison(worse)))
    assert found["throughput.mean"] == "not ok"
    assert found["no-lock-in-a-loop"] == "ok"
    few = compare(Digest.of(recording("a", runs=2)), Digest.of(recording("b", runs=2, seed=2)))
    assert _read(ktap.document(ktap.of_comparison(few)))["throughput.mean"] == "skip"


def test_groups_are_nested() -> None:
    tests = ktap.of_check(judgement.report(broken()))
    lines = ktap.nested([("the base", ktap.of_check(judgement.report(clean()))), ("new", tests)])
    top = [line for line in lines.splitlines() if not line.startswith("  ")]
    assert top == ["KTAP version 1", "1..2", "ok 1 the_base", "not ok 2 new"]


def test_a_check_that_did_not_end_passes_nothing() -> None:
    cut = judgement.report(structs.replace(clean(), end=None))
    text = ktap.document(ktap.of_check(cut))
    assert set(_read(text).values()) == {"skip"}
    assert "the check did not come to its end" in text


def test_what_is_seen_broken_fails_and_the_rest_does_not_pass_where_events_are_missing() -> None:
    report = structs.replace(judgement.report(broken()), lost_events={"missed probes": 3})
    found = _read(ktap.document(ktap.of_check(report)))
    assert found["held-at-return"] == "not ok"
    assert found["release-unheld"] == "skip"
    failed = structs.replace(judgement.report(clean()), workload_status=2)
    assert "status 2" in ktap.document(ktap.of_check(failed))


def test_one_rule_that_cannot_be_judged_takes_no_other_with_it() -> None:
    check = clean()
    header = structs.replace(check.header, not_judged={"sleep-in-atomic": "no switch"})
    report = judgement.report(structs.replace(check, header=header))
    assert report.verdict == "incomplete"
    assert _read(ktap.document(ktap.of_check(report)))["release-unheld"] == "ok"
