"""Mixes are workloads that zpool-bench takes, and are chosen by what is missing."""

import pytest

from z3trace.workloads import choose
from z3trace.workloads.mixes import MIXES, Mix, following


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: mix.name)
def test_every_mix_is_a_workload(mix: Mix) -> None:
    work = choose.named(mix.workload("z3fold"))
    assert work.description == mix.workload("z3fold")


def test_names_are_unique() -> None:
    assert len({mix.name for mix in MIXES}) == len(MIXES)


def test_the_next_mix_is_for_what_was_not_met() -> None:
    found = following({"everything"}, ["reclaim with an empty LRU list"])
    assert found is not None
    assert "empty" in found.reaches
    found = following({"everything"}, ["eviction of a HEADLESS page", "eviction refused"])
    assert found is not None
    assert found.name == "every eviction refused"


def test_each_mix_comes_once_and_then_there_is_none() -> None:
    done: set[str] = set()
    while (mix := following(done, ["eviction refused"])) is not None:
        assert mix.name not in done
        done.add(mix.name)
    assert done == {mix.name for mix in MIXES}
