"""Mixes are workloads that their bench takes, and are chosen by what is missing."""

import pytest

from z3trace.target import definition
from z3trace.workloads import choose, mixes
from z3trace.workloads.mixes import MIXES, ZPOOL_BENCH, Mix, following

ZPOOL = MIXES[ZPOOL_BENCH]
ALL = [mix for each in MIXES.values() for mix in each]


@pytest.mark.parametrize("mix", ALL, ids=lambda mix: f"{mix.bench} {mix.name}")
def test_every_mix_is_a_workload(mix: Mix) -> None:
    work = choose.named(mix.workload("z3fold"))
    assert work.description == mix.workload("z3fold")


def test_names_are_unique() -> None:
    for each in MIXES.values():
        assert len({mix.name for mix in each}) == len(each)


@pytest.mark.parametrize("name", definition.shipped())
def test_every_target_is_checked_with_mixes_of_its_own_bench(name: str) -> None:
    check = definition.load(name).defaults.check
    bench = check.partition(":")[0]
    assert {mix.bench for mix in mixes.of(check)} == {bench}


def test_a_target_that_says_nothing_is_driven_through_zpool() -> None:
    assert mixes.of("")[0].workload("mine").startswith("zpool-bench:type=mine,")


def test_the_next_mix_is_for_what_was_not_met() -> None:
    found = following(ZPOOL, {"everything"}, ["reclaim with an empty LRU list"])
    assert found is not None
    assert "empty" in found.reaches
    found = following(ZPOOL, {"everything"}, ["eviction of a HEADLESS page", "eviction refused"])
    assert found is not None
    assert found.name == "every eviction refused"


def test_each_mix_comes_once_and_then_there_is_none() -> None:
    done: set[str] = set()
    while (mix := following(ZPOOL, done, ["eviction refused"])) is not None:
        assert mix.name not in done
        done.add(mix.name)
    assert done == {mix.name for mix in ZPOOL}
