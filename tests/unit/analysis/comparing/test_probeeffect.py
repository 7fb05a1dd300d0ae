"""Whether probes changed more than the time that they take."""

import msgspec
import pytest
from samples import recording

from z3trace.analysis.comparing import probeeffect
from z3trace.analysis.comparing.comparison import compare
from z3trace.analysis.comparing.probeeffect import ProbeEffect
from z3trace.analysis.figures.recording import Digest
from z3trace.data.model import OperationTruth, Recording, Run, WorkloadResult

_CALLS = 1000


def _timed(run: Run, probe: str, each: float) -> Run:
    """The run as one of *probe* that took *each* ns an operation."""
    result = WorkloadResult(
        elapsed=int(each * _CALLS), operations=[OperationTruth(operation="alloc", calls=_CALLS)]
    )
    return msgspec.structs.replace(run, probe=probe, probed=probe != "none", result=result)


def _sided(label: str, times: dict[str, float]) -> Recording:
    """Eight runs of each kind, of *times* give or take 2 %."""
    made = recording(label, runs=8)
    runs = [
        _timed(msgspec.structs.replace(run, number=16 * kind + i), probe, each * (0.98 + i / 200))
        for kind, (probe, each) in enumerate(times.items())
        for i, run in enumerate(made.runs[:8])
    ]
    return msgspec.structs.replace(made, runs=runs)


def _found(before: dict[str, float], after: dict[str, float]) -> list[ProbeEffect]:
    return probeeffect.of(Digest.of(_sided("a", before)), Digest.of(_sided("b", after)))


def test_probes_that_only_add_their_time_are_no_caveat() -> None:
    found = _found({"none": 400, "ops": 1000}, {"none": 300, "ops": 900})
    assert [one.way for one in found] == ["none", "ops"]
    assert found[0].change == pytest.approx(-100, rel=0.01)
    assert found[1].change == pytest.approx(-100, rel=0.01)
    assert found[1].slowdown == pytest.approx((2.5, 3.0), rel=0.01)
    assert list(probeeffect.caveats(found)) == []


def test_probes_that_hide_the_contention_are_told_of() -> None:
    before, after = {"none": 400.0, "ops": 1000.0}, {"none": 300.0, "ops": 1050.0}
    found = _found(before, after)
    (caveat,) = probeeffect.caveats(found)
    assert "+50 ns [" in caveat
    assert "throughput is what to believe" in caveat
    sides = (Digest.of(_sided("a", before)), Digest.of(_sided("b", after)))
    assert caveat in compare(*sides).caveats


def test_without_unprobed_runs_nothing_is_known() -> None:
    assert _found({"ops": 1000, "all": 3000}, {"ops": 900, "all": 2000}) == []
    assert _found({"none": 1000, "all": 3000}, {"all": 2000}) == []


def test_a_command_that_counts_nothing_is_timed_as_a_whole() -> None:
    sides = []
    for label, each in (("a", 400.0), ("b", 300.0)):
        made = _sided(label, {"none": each, "all": 2 * each})
        uncounted = [
            msgspec.structs.replace(run, result=WorkloadResult(elapsed=run.result.elapsed))
            for run in made.runs
        ]
        sides.append(Digest.of(msgspec.structs.replace(made, runs=uncounted)))
    found = probeeffect.of(*sides)
    assert found[0].before == pytest.approx(400 * _CALLS, rel=0.01)
    assert found[1].slowdown == pytest.approx((2, 2), rel=0.01)


def test_runs_that_probe_operations_only_are_no_gap_in_coverage() -> None:
    made = [
        _sided(label, {"none": each, "ops": 2 * each}) for label, each in (("a", 400), ("b", 300))
    ]
    caveats = compare(*map(Digest.of, made)).caveats
    assert "a and b: locks were not recorded" in caveats
    assert not any("could not be probed" in caveat for caveat in caveats)


def test_an_interval_that_few_runs_do_not_give_is_not_shown() -> None:
    inf = float("inf")
    few = ProbeEffect("ops", 400, 300, -100, -inf, inf, (1.0, 1.0))
    assert probeeffect.span(few) == "-100 ns"
    assert probeeffect.span(ProbeEffect("ops", 1, 1, 5, 1, 9, (1, 1))) == "+5 ns [+1 ns, +9 ns]"
