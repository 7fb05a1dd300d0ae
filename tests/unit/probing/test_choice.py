"""What is to be recorded, and what that costs."""

import pytest

from z3trace.data.model import Calibration
from z3trace.probing.choice import Choice, Costs, costs_of


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
        **dict(zip(Calibration.__struct_fields__[:9], range(1, 10), strict=True)),  # type: ignore[arg-type]
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
