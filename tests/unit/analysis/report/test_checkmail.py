"""The plain text of a check."""

import msgspec
from checksamples import broken, clean, progress

from z3trace.analysis.checks import judgement
from z3trace.analysis.checks.findings import Place
from z3trace.analysis.report import checkmail


def test_what_could_not_be_judged_is_told() -> None:
    report = msgspec.structs.replace(
        judgement.report(clean()),
        not_judged={"long-hold": "no clock"},
        lost_events={"missed probes": 3},
        workload_status=7,
    )
    text = checkmail.render(report)
    assert "- long-hold: no clock" in text
    assert "- missed probes: 3; a rule may have been broken" in text
    assert "- the workload ended with status 7" in text
    assert "What could not be judged" not in checkmail.render(judgement.report(clean()))


def test_many_unreached_sites_are_counted_and_not_listed() -> None:
    report = judgement.report(clean())
    places = [Place(function=f"f{i}", offset=i) for i in range(50)]
    exercised = msgspec.structs.replace(report.exercised, unreached=places)
    text = checkmail.render(msgspec.structs.replace(report, exercised=exercised))
    assert "  f39: +0x27" in text
    assert "f40" not in text
    assert "  and 10 more" in text


def test_two_of_one_class_and_crossed_releases_are_told() -> None:
    check = msgspec.structs.replace(broken(), progress=progress(crossed=1))
    assert "Released in another order than taken: once." in checkmail.render(
        judgement.report(check)
    )
