"""A check judged."""

import msgspec
from checksamples import broken, clean, end, header

from z3trace.analysis.checks import judgement
from z3trace.data.rules import NO_FREES


def test_what_was_not_seen_is_no_health() -> None:
    unseen = judgement.report(
        msgspec.structs.replace(clean(), header=header(not_judged={"long-hold": "why"}))
    )
    assert unseen.verdict == "incomplete"
    lossy = judgement.report(msgspec.structs.replace(clean(), end=end(slot_collisions=3)))
    assert lossy.verdict == "incomplete"
    assert lossy.lost_events == {"slot collisions": 3}


def test_a_rule_that_is_not_judged_is_not_broken() -> None:
    """An unseen release makes an order of locks, and a nesting, that never was."""
    reasons = dict.fromkeys(["order-inversion", "new-nesting"], "1 of 3 releases are not seen")
    turned = msgspec.structs.replace(broken(), header=header(not_judged=reasons))
    report = judgement.report(turned, reference=[])
    assert [one.rule for one in report.violations] == ["held-at-return"]
    assert report.not_judged == reasons
    assert "new-nesting" not in judgement.report(turned).not_judged, "nothing to hold it against"


def test_locks_that_seem_to_be_held_for_ever_fill_the_list_and_lose_nothing() -> None:
    reasons = dict.fromkeys(["double-acquire", "long-hold"], "1 of 3 releases are not seen")
    full = msgspec.structs.replace(
        clean(), header=header(not_judged=reasons), end=end(held_overflows=84)
    )
    report = judgement.report(full)
    assert (report.verdict, report.lost_events) == ("incomplete", {})
    assert "more locks seemed to be held" in report.not_judged["stuck-wait"]
    alone = msgspec.structs.replace(clean(), end=end(held_overflows=84))
    assert judgement.report(alone).lost_events == {"held overflows": 84}


def test_a_target_that_frees_nothing_can_be_clean() -> None:
    without = header(not_judged={"free-while-held": NO_FREES})
    assert judgement.report(msgspec.structs.replace(clean(), header=without)).verdict == "clean"


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
