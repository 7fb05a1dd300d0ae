"""What is to be recorded, and what that costs."""

import fakes
import pytest
from msgspec import structs

from z3trace.data.model import Calibration
from z3trace.probing.choice import (
    OTHERS,
    Choice,
    Costs,
    Price,
    cheapest,
    costs_of,
    decided,
    prices,
)


@pytest.mark.parametrize(
    ("choice", "filtered"),
    [
        (Choice(), False),
        (Choice(only_inside=True), True),
        (Choice(process=1), True),
        (Choice(processors=1), True),
    ],
)
def test_locks_count_everywhere_unless_something_is_filtered(
    choice: Choice, filtered: bool
) -> None:
    assert choice.filtered == filtered


def test_a_lock_mode_of_none_has_no_locks() -> None:
    assert Choice().locks
    assert not Choice(lock_mode="none").locks


def test_every_kind_of_probe_has_its_own_measured_cost() -> None:
    measured = Calibration(
        **{
            name: n for n, name in enumerate(Calibration.__struct_fields__, 1) if name != "function"
        },  # type: ignore[arg-type]
    )
    costs = costs_of(measured)
    assert costs.operation == measured.operation
    assert costs.operation_floor == measured.operation_floor
    assert costs.hold_floor == measured.hold_floor
    assert costs.event == {
        "jump": measured.jump,
        "emulated": measured.emulated,
        "stepped": measured.stepped,
        "function": measured.lock_function,
    }
    assert len(set(costs.event.values())) == 4


def test_what_was_not_measured_costs_nothing() -> None:
    assert costs_of(None) == Costs()


#: As others measured it on real hardware: jumps, traps, trampolines in the lock functions.
HARDWARE = Calibration(
    operation_floor=10,
    wait_floor=0,
    hold_floor=20,
    operation=30,
    jump=75,
    emulated=600,
    stepped=1200,
    lock_function=18,
    bystander=13,
    spread=1,
)


def test_prices_are_those_of_a_pair() -> None:
    at_calls = [Price("at the calls, as jumps", 150), Price("at the calls, as traps", 1200)]
    assert prices(HARDWARE) == [*at_calls, Price("in the lock functions", 54, 13)]
    assert prices(structs.replace(HARDWARE, lock_function=0)) == at_calls


def test_the_cheapest_way_depends_on_how_the_calls_can_be_probed() -> None:
    jump, trap = fakes.probe(0, before=0), fakes.probe(8, before=1, method="emulated")
    # 54 + 10 * 13 for the lock functions: more than 150 of two jumps, less than 1200.
    assert OTHERS == 10
    assert cheapest(HARDWARE, [jump, jump]) == "callsite"
    assert cheapest(HARDWARE, [trap]) == "function"
    assert cheapest(HARDWARE, [*[jump] * 20, trap]) == "function"
    assert cheapest(HARDWARE, [*[jump] * 40, trap]) == "callsite"
    assert cheapest(HARDWARE) == "function"


def test_the_lock_functions_are_not_taken_where_everybody_else_pays_too_much() -> None:
    assert cheapest(structs.replace(HARDWARE, bystander=100)) == "callsite"


def test_what_was_not_measured_is_not_taken() -> None:
    free = structs.replace(HARDWARE, lock_function=0, bystander=0)
    assert cheapest(free) == "callsite"


def test_auto_becomes_the_cheapest_and_nothing_else_changes() -> None:
    wanted = Choice(lock_mode="auto", slow_paths=True, process=7)
    # Trampolines in the lock functions see the attempt: no slow path is needed.
    assert decided(wanted, HARDWARE) == Choice(lock_mode="function", process=7)
    dear = structs.replace(HARDWARE, bystander=1000)
    kept = Choice(lock_mode="callsite", slow_paths=True, process=7)
    assert decided(wanted, dear) == decided(wanted, None) == kept
    chosen = Choice(lock_mode="hybrid", slow_paths=True)
    assert decided(chosen, HARDWARE) is chosen
