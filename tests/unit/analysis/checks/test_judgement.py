"""A check judged."""

import msgspec
from checksamples import broken, clean, end, header

from z3trace.analysis.checks import judgement


def test_what_was_not_seen_is_no_health() -> None:
    unseen = judgement.report(
        msgspec.structs.replace(clean(), header=header(not_judged={"long-hold": "why"}))
    )
    assert unseen.verdict == "incomplete"
    lossy = judgement.report(msgspec.structs.replace(clean(), end=end(slot_collisions=3)))
    assert lossy.verdict == "incomplete"
    assert lossy.lost_events == {"slot collisions": 3}


def test_evidence_without_an_end_is_not_clean() -> None:
    assert judgement.report(msgspec.structs.replace(clean(), end=None)).verdict == "incomplete"


def test_a_lost_guest_without_a_broken_rule_is_lost() -> None:
    report = judgement.report(
        msgspec.structs.replace(clean(), end=None), "BUG: NULL pointer", "oops"
    )
    assert report.verdict == "lost"


def test_its_verdict_and_its_facts() -> None:
    assert judgement.report(clean()).verdict == "clean"
    report = judgement.report(broken("a variant"), "", "lost")
    assert report.verdict == "violations", "a broken rule outweighs a lost guest"
    assert (report.label, report.target, report.cpus) == ("a variant", "z3fold", 2)
    assert report.reference is None
