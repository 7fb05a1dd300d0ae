"""What the workload of a check reached."""

import msgspec
from checksamples import broken, clean, incident, progress

from z3trace.analysis.checks import judgement


def test_a_clean_check_says_what_it_exercised() -> None:
    report = judgement.report(clean())
    assert report.verdict == "clean"
    assert report.exercised.percent == 75
    assert [place.line for place in report.exercised.unreached] == [210]
    conditions = {one.name: one.count for one in report.exercised.conditions}
    assert conditions == {"eviction refused": 0, "page compacted": None}


def test_an_incident_s_sites_were_reached_whatever_was_counted() -> None:
    counted = progress(reached=[])
    incidents = [incident("held-at-return", 3)]
    check = msgspec.structs.replace(clean(), progress=counted, incidents=incidents)
    # Its own site, and those of the two steps before it.
    assert judgement.report(check).exercised.reached == 3


def test_a_check_that_counted_nothing_says_so() -> None:
    exercised = judgement.report(msgspec.structs.replace(broken(), progress=None)).exercised
    assert (exercised.seconds, exercised.operations) == (0, {})
    assert exercised.conditions[0].count == 0
