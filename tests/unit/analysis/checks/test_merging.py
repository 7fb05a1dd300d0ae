"""Several checks of one build as one."""

from checksamples import ARMED, broken, clean, incident, progress
from msgspec import structs

from z3trace.analysis.checks import judgement
from z3trace.analysis.checks.findings import Report
from z3trace.analysis.checks.merging import merged
from z3trace.data.checkfile import Check


def _report(check: Check, workload: str, lost: str = "") -> Report:
    header = structs.replace(check.header, workload=workload)
    return judgement.report(structs.replace(check, header=header), lost=lost)


def test_one_is_itself() -> None:
    report = judgement.report(broken())
    assert merged([report]) is report


def test_findings_merge_each_with_the_workloads_that_show_it() -> None:
    other = structs.replace(
        clean(), incidents=[incident("release-unheld", 2, time=ARMED + 1, operation="free")]
    )
    whole = merged([_report(broken(), "one"), _report(other, "two"), _report(broken(), "three")])
    shown = {each.rule: each.workloads for each in whole.violations}
    assert shown["held-at-return"] == ["one", "three"]
    assert shown["release-unheld"] == ["two"]
    held = next(each for each in whole.violations if each.rule == "held-at-return")
    assert held.count == 24
    assert whole.verdict == "violations"


def test_what_any_reached_was_reached() -> None:
    first = structs.replace(clean(), progress=progress(reached=[0, 1], conditions=[0, 0]))
    second = structs.replace(clean(), progress=progress(reached=[1, 2], conditions=[3, 0]))
    parts = [_report(first, "one"), _report(second, "two")]
    whole = merged(parts).exercised
    assert (whole.reached, whole.sites) == (3, 4)
    assert [place.line for place in whole.unreached] == [210]
    assert whole.operations == {"alloc": 2000, "free": 1800}
    assert {each.name: each.count for each in whole.conditions} == {
        "eviction refused": 3,
        "page compacted": None,
    }


def test_a_guest_that_was_lost_is_told_though_another_lived() -> None:
    whole = merged([_report(clean(), "one"), _report(clean(), "two", "the guest was lost: x")])
    assert whole.verdict == "lost"
    assert whole.hang is not None
    assert whole.hang.reason == "x"


def test_an_operation_that_a_lost_kernel_did_not_count_is_unknown_and_not_zero() -> None:
    never = structs.replace(clean(), progress=progress(operations={"alloc": 10, "free": 0}))
    parts = [_report(never, "one"), _report(never, "two", "the guest was lost: x")]
    assert merged(parts).exercised.operations == {"alloc": 20, "free": None}
    assert merged([*parts, _report(clean(), "three")]).exercised.operations["free"] == 900


def test_a_check_without_an_end_is_no_check_that_ended_well() -> None:
    cut = structs.replace(clean(), end=None)
    assert merged([_report(clean(), "one"), _report(cut, "two")]).workload_status is None
    lost = _report(cut, "two", "the guest was lost: x")
    assert merged([_report(clean(), "one"), lost]).workload_status == 0
