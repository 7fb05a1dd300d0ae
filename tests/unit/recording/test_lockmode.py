"""What --locks auto comes to."""

import errno
from typing import Any

import fakes
import pytest
from msgspec import structs

from z3trace.data.model import Calibration
from z3trace.probing.choice import Choice
from z3trace.recording import lockmode

#: Jumps cost little; the lock functions cost the target less, and others something.
MEASURED = Calibration(
    operation_floor=0,
    wait_floor=0,
    hold_floor=0,
    operation=0,
    jump=75,
    emulated=600,
    stepped=1200,
    lock_function=18,
    bystander=13,
    spread=0,
)
AUTO = Choice(lock_mode="auto", slow_paths=True)


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Places at which the kernel allows no probe."""
    places: dict[str, int] = {}
    monkeypatch.setattr(lockmode, "Attachments", lambda: fakes.Attachments(places))
    return places


def _plan(method: str) -> Any:
    probes = [fakes.probe(5, after=0, method=method)]  # type: ignore[arg-type]
    return fakes.plan(fakes.Code(sites=[fakes.site(0)], fewer_probes=probes))


def test_it_is_the_cheapest_and_says_why(refused: dict[str, int]) -> None:
    choice, why = lockmode.decided(AUTO, MEASURED, [_plan("jump")])
    assert (choice.lock_mode, choice.slow_paths) == ("callsite", True)
    assert why == (
        "a lock pair costs 150 ns at the target's calls, 184 ns in the lock functions "
        "(10 times what others pay included)"
    )
    choice, why = lockmode.decided(AUTO, MEASURED, [_plan("emulated")])
    assert (choice.lock_mode, choice.slow_paths) == ("function", False)
    assert "1200 ns at the target's calls" in why


def test_both_sides_of_a_comparison_have_the_same(refused: dict[str, int]) -> None:
    both = [_plan("jump"), _plan("emulated")]
    assert lockmode.decided(AUTO, MEASURED, both)[0].lock_mode == "function"


def test_where_it_is_not_sure_the_default_stays(refused: dict[str, int]) -> None:
    for unsure in (None, structs.replace(MEASURED, lock_function=0)):
        assert lockmode.decided(AUTO, unsure, [_plan("emulated")])[0].lock_mode == "callsite"
    near = structs.replace(MEASURED, spread=400)
    assert lockmode.decided(AUTO, near, [_plan("emulated")])[0].lock_mode == "callsite"
    assert lockmode.decided(AUTO, None, [])[1] == "nothing was measured"


def test_call_sites_that_cannot_be_probed_need_the_lock_functions(
    refused: dict[str, int],
) -> None:
    refused["mine:my_alloc+5"] = errno.EINVAL
    choice, why = lockmode.decided(AUTO, MEASURED, [_plan("jump")])
    assert choice.lock_mode == "hybrid"
    assert why.endswith("; 1 lock call sites cannot carry a probe")


def test_what_was_asked_for_is_not_looked_into() -> None:
    asked = Choice(lock_mode="hybrid")
    assert lockmode.decided(asked, MEASURED, [_plan("jump")]) == (asked, "")
