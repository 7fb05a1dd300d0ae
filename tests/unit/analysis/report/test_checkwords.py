"""A check's findings in words."""

import msgspec
import pytest
from checksamples import broken, clean

from z3trace.analysis.checks import judgement
from z3trace.analysis.checks.findings import Death, Place
from z3trace.analysis.report import checkwords


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place(), "unknown"),
        (Place(function="f", offset=16), "f+0x10"),
        (Place(function="f", file="mm/z.c", line=7), "f+0x0 (z.c:7)"),
        (Place(function="f", file="z.c", line=7, inlined=["g", "h"]), "f+0x0 (z.c:7, h < g)"),
    ],
)
def test_a_place(place: Place, text: str) -> None:
    assert checkwords.where(place) == text


def test_a_violation_points_to_all_its_places() -> None:
    held, inversion = judgement.report(broken()).violations
    assert checkwords.title(held) == "held-at-return, lock page, operation alloc, 12 times"
    assert [role for role, _ in checkwords.places(held)] == ["taken at"]
    assert checkwords.title(inversion) == "order-inversion, lock page under pool, 7 times"
    assert [role for role, _ in checkwords.places(inversion)] == [
        "asked for at",
        "under the one taken at",
        "other order",
    ]
    unknown = msgspec.structs.replace(held, rule="of another version", count=1)
    assert (checkwords.meaning(unknown), checkwords.times(1)) == ("", "once")


def test_a_summary_claims_no_more_than_was_seen() -> None:
    assert checkwords.summary(judgement.report(clean())).startswith("no violation in 1900 operat")
    lost = checkwords.summary(judgement.report(clean(), "", "oops"))
    assert lost.startswith("the kernel was lost, no rule was seen broken before")
    partly = msgspec.structs.replace(judgement.report(clean()), verdict="incomplete")
    assert checkwords.summary(partly).endswith("but not everything could be judged")
    assert checkwords.summary(judgement.report(broken())).startswith("2 violations in ")


def test_what_killed_a_kernel_is_cut_between_words() -> None:
    words = "list_del corruption, ffffea00002b49c8->next is LIST_POISON1 (dead000000000100)"
    death = Death(words=words, place=Place())
    report = msgspec.structs.replace(judgement.report(broken()), deaths=[death])
    said = checkwords.summary(report)
    assert "(list_del corruption, ffffea00002b49c8->next is .." in said
    assert " )" not in said
