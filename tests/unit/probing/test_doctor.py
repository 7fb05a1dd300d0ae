"""What a recording would see: the verdict, the likely class of a lock, the slow paths."""

from dataclasses import replace
from typing import Any

import fakes
import pytest
from msgspec import structs

from z3trace.data.model import Calibration, CallSite
from z3trace.errors import CannotTraceError
from z3trace.probing import doctor
from z3trace.probing.choice import Choice
from z3trace.probing.doctor import Diagnosis

SITE = CallSite(
    number=0,
    function="my_alloc",
    offset=0,
    lock_function="_raw_spin_lock",
    action="acquire",
    kind="spin",
    attached=True,
)


def _diagnosis(**changes: Any) -> Diagnosis:
    fields = {
        "operations": [("alloc", "my_alloc", "kprobe")],
        "sites": [SITE],
        "classes": {},
        "lock_mode": "callsite",
    }
    return Diagnosis(**{**fields, **changes})


def test_a_recording_that_would_be_whole() -> None:
    assert _diagnosis().verdict == "a recording with --locks callsite would be whole"


def test_an_operation_that_the_kernel_has_not_is_said_but_is_no_loss() -> None:
    verdict = _diagnosis(operations=[("map", "", "none of my_map is there")]).verdict
    assert verdict == "a recording with --locks callsite would be whole; this kernel has no map"


def test_sites_that_would_not_be_seen_are_counted_and_located(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = fakes.Types({SITE.lock_function: 1})
    monkeypatch.setattr(doctor.unseen, "KernelTypes", lambda: known)
    hidden = [
        structs.replace(SITE, number=n, function=name, attached=False)
        for n, name in enumerate(("b", "a", "b"), 1)
    ]
    diagnosis = _diagnosis(sites=[SITE, *hidden])
    assert diagnosis.unseen == hidden
    assert "would not be whole: 3 of 4 lock call sites cannot be seen, in a, b" in diagnosis.verdict
    assert "--locks hybrid sees them" in diagnosis.verdict
    assert "--locks hybrid" not in replace(diagnosis, lock_mode="function").verdict


def test_a_diagnosis_defines_all_probes_arms_none_and_leaves_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attachments = fakes.Attachments()
    monkeypatch.setattr(doctor, "Attachments", lambda: attachments)
    known = fakes.Types({"my_alloc": 1, "my_free": 1})
    monkeypatch.setattr(doctor, "KernelTypes", lambda name="": known)
    monkeypatch.setattr(doctor.slowpath, "functions", lambda types: ["slow"])
    code = fakes.Code(sites=[fakes.site(0)], probes=[], fewer_probes=[fakes.probe(5, after=0)])
    diagnosis = doctor.diagnose(fakes.plan(code), "callsite")
    assert [entry[0] for entry in attachments.log] == ["define"]
    assert attachments.closed
    assert diagnosis.slow_paths == ["slow"]
    assert diagnosis.unseen == []
    assert diagnosis.operations[0] == ("alloc", "my_alloc", "trampoline or kprobe")
    # With the lock functions traced, waits begin there.
    assert doctor._slow_paths("function") == []
    known.known = {"my_alloc": 1}
    assert doctor._operations(fakes.plan())[0][2] == "kprobe"


def test_probes_are_removed_if_the_diagnosis_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    attachments = fakes.Attachments()
    monkeypatch.setattr(doctor, "Attachments", lambda: attachments)

    def fail(*_: object) -> None:
        raise CannotTraceError("no")

    monkeypatch.setattr(doctor.locks, "cover", fail)
    with pytest.raises(CannotTraceError):
        doctor.diagnose(fakes.plan(), Choice(lock_mode="none").lock_mode)
    assert attachments.closed


def test_prices_are_measured_for_auto_and_the_targets_own_probes_decide(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Jumps cost less than the lock functions here, traps more."""
    asked: list[Choice] = []

    def measure(programs: object, wanted: Choice) -> tuple[Calibration, bool]:
        asked.append(wanted)
        return fakes.PRICES, True

    monkeypatch.setattr(doctor, "Programs", lambda *sizes: fakes.Programs())
    monkeypatch.setattr(doctor.slowpath, "settled", lambda choice, programs, say: choice)
    monkeypatch.setattr(doctor.calibration, "measure", measure)
    for method, cheapest in (("jump", "callsite"), ("emulated", "function")):
        priced = doctor.priced(fakes.priced_plan(method))
        assert priced.cheapest == cheapest
        assert [(price.target, price.others) for price in priced.prices] == [
            *((150, 0), (1200, 0), (54, 13))
        ]
    assert {choice.lock_mode for choice in asked} == {"auto"}
