"""Ways and their names."""

import pytest

from z3trace.data import ways
from z3trace.data.ways import Way

NAMES = {
    "none": ways.NONE,
    "clocked": ways.CLOCKED,
    "timed": ways.TIMED,
    "ops": ways.OPS,
    "all": ways.ALL,
    "own-lock": ways.OWN_LOCK,
    "lock:page": ways.of_class("page"),
    "timed+lock:a-b_c": ways.of_class("a-b_c", "timed"),
    "timed+clocked": Way("timed", clocked=True),
}


@pytest.mark.parametrize(("name", "way"), NAMES.items())
def test_a_name_is_a_way_and_back(name: str, way: Way) -> None:
    assert way.name == name
    assert Way.named(name) == way
