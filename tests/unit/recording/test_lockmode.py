"""What --locks auto comes to."""

import errno

import fakes
import pytest
from msgspec import structs

from z3trace.probing.choice import Choice
from z3trace.recording import lockmode
from z3trace.target.definition import OperationRule

AUTO = Choice(lock_mode="auto", slow_paths=True)


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Places at which the kernel allows no probe."""
    places: dict[str, int] = {}
    monkeypatch.setattr(lockmode, "Attachments", lambda: fakes.Attachments(places))
    return places


def test_it_is_the_cheapest_and_says_why(refused: dict[str, int]) -> None:
    choice, why = lockmode.decided(AUTO, fakes.PRICES, [fakes.priced_plan("jump")])
    assert (choice.lock_mode, choice.slow_paths) == ("callsite", True)
    assert why == (
        "a lock pair costs 150 ns at the target's calls, 184 ns in the lock functions "
        "(10 times what others pay included)"
    )
    choice, why = lockmode.decided(AUTO, fakes.PRICES, [fakes.priced_plan("emulated")])
    assert (choice.lock_mode, choice.slow_paths) == ("function", False)
    assert "1200 ns at the target's calls" in why


def test_both_sides_of_a_comparison_have_the_same(refused: dict[str, int]) -> None:
    both = [fakes.priced_plan("jump"), fakes.priced_plan("emulated")]
    assert lockmode.decided(AUTO, fakes.PRICES, both)[0].lock_mode == "function"


def test_where_it_is_not_sure_the_default_stays(refused: dict[str, int]) -> None:
    for unsure in (None, structs.replace(fakes.PRICES, lock_function=0)):
        assert (
            lockmode.decided(AUTO, unsure, [fakes.priced_plan("emulated")])[0].lock_mode
            == "callsite"
        )
    near = structs.replace(fakes.PRICES, spread=400)
    assert lockmode.decided(AUTO, near, [fakes.priced_plan("emulated")])[0].lock_mode == "callsite"
    assert lockmode.decided(AUTO, None, [])[1] == "nothing was measured"


def test_call_sites_that_cannot_be_probed_need_the_lock_functions(
    refused: dict[str, int],
) -> None:
    refused["mine:my_alloc+5"] = errno.EINVAL
    choice, why = lockmode.decided(AUTO, fakes.PRICES, [fakes.priced_plan("jump")])
    assert choice.lock_mode == "hybrid"
    assert why.endswith("; 1 lock call sites cannot carry a probe")


def test_what_was_asked_for_is_not_looked_into() -> None:
    asked = Choice(lock_mode="hybrid")
    assert lockmode.decided(asked, fakes.PRICES, [fakes.priced_plan("jump")]) == (asked, "")


def test_what_is_true_of_all_plans_is_said_once(refused: dict[str, int]) -> None:
    """As `record` of two builds and `check` of one say it."""
    target = structs.replace(
        fakes.TARGET,
        operations={
            **fakes.TARGET.operations,
            "map": OperationRule(functions=["my_map"], optional=True),
        },
    )
    said: list[str] = []
    plans = [fakes.plan(target=target), fakes.plan(target=target)]
    choice, _ = lockmode.settled(AUTO, None, plans, said.append)
    assert choice.lock_mode == "callsite"
    assert said == [
        "this kernel has no map",
        "--locks auto takes callsite: nothing was measured",
    ]
    assert lockmode.settled(choice, None, [fakes.plan()], said.append) == (choice, "")
    assert len(said) == 2
