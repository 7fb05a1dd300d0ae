"""Incidents become violations by call site."""

import consolesamples as console
import msgspec
import pytest
from checksamples import ARMED, broken, clean, header, incident, progress

from z3trace.analysis.checks import judgement
from z3trace.data import checkfile
from z3trace.data.incident import printed


def test_violations_are_told_with_place_and_count() -> None:
    report = judgement.report(broken())
    assert report.verdict == "violations"
    first = report.violations[0]
    assert (first.rule, first.lock, first.operation) == ("held-at-return", "page", "alloc")
    assert (first.function, first.offset, first.line) == ("z3fold_alloc", 0, 100)
    assert first.count == 12
    assert first.instances[0].time == pytest.approx(0.005)
    assert first.instances[0].held == pytest.approx(0.001)
    assert [event.kind for event in first.instances[0].events] == ["acquires", "releases"]


def test_offences_without_an_incident_are_told_too() -> None:
    counted = progress(offences=[checkfile.Offence(rule="long-hold", site=3, count=5)])
    (found,) = judgement.report(msgspec.structs.replace(clean(), progress=counted)).violations
    assert (found.rule, found.line, found.count) == ("long-hold", 210, 5)


def test_the_console_has_the_steps_too() -> None:
    time, lock = ARMED + 9_000_000, 0xFFFF888000001010
    old, new = 5_000 << 20 | 2 << 2 | 3, 1_000 << 20 | 3 << 2
    none = (1 << 44) - 1 << 20
    text = "\n".join(
        [
            console.printed("double-acquire", site=3),
            # The next step would be written at number 1: the newest is number 0.
            console.line(1, [1 << 32 | 1, time, lock, 0, 0, 0, 0, 0, 0, lock + 4096]),
            console.line(2, [1 << 32 | 1, time, new, *[none] * 6, old]),
        ]
    )
    (found,) = printed(text, header())
    assert [(s.kind, s.site, s.time - time) for s in found.steps] == [
        ("releases", 2, -5000),
        ("asks for", 3, -1000),
    ]
    assert [step.lock for step in found.steps] == [hex(lock + 4096), hex(lock)]


def test_the_same_incident_on_console_and_in_the_file_counts_once() -> None:
    same = incident("double-acquire", 3, time=ARMED + 9_000_000, operation="free")
    report = judgement.report(
        msgspec.structs.replace(clean(), incidents=[same], end=None),
        console.printed("double-acquire", site=3),
        "lost",
    )
    (found,) = report.violations
    assert (found.count, len(found.instances)) == (1, 1)
    assert found.instances[0].events
