"""How many runs each way gets."""

import pytest

from z3trace.data import ways
from z3trace.data.ways import Way
from z3trace.errors import UsageError
from z3trace.recording import repetitions
from z3trace.recording.repetitions import Asked, named, of_one, of_pair

CLASSES = ("page", "pool")
PAGE, POOL = (ways.of_class(name) for name in CLASSES)


def _names(counts: dict[Way, int]) -> dict[str, int]:
    return {way.name: count for way, count in counts.items()}


def test_a_pair_has_many_cheap_runs_and_few_with_probes() -> None:
    asked = Asked(40, classes=CLASSES, timed=True, clocks=True, own_lock=True)
    assert _names(of_pair(asked)) == {
        "none": 40,
        "clocked": 40,
        "timed": 40,
        "ops": repetitions.MOST_SHOWN,
        "all": repetitions.MOST_SHOWN,
    }


def test_without_timed_builds_locks_are_judged_class_by_class() -> None:
    asked = Asked(40, classes=CLASSES, clocks=True, own_lock=True)
    counts = _names(of_pair(asked))
    assert counts["lock:page"] == counts["lock:pool"] == repetitions.MOST_JUDGED
    assert counts["all"] == repetitions.MOST_SHOWN
    assert counts["own-lock"] == counts["lock:page"]
    assert "timed" not in counts
    # Where no class can be probed alone, all are judged at once.
    for other in (Asked(40, classes=CLASSES, sees_classes=False), Asked(40)):
        assert _names(of_pair(other))["all"] == repetitions.MOST_JUDGED


def test_a_workload_that_does_not_time_itself_has_its_latencies_judged_by_probes() -> None:
    counts = _names(of_pair(Asked(40, classes=CLASSES, timed=True)))
    assert counts["ops"] == repetitions.MOST_JUDGED
    assert "clocked" not in counts


def test_few_runs_are_few_in_every_way() -> None:
    asked = Asked(2, classes=CLASSES, timed=True, clocks=True, own_lock=True)
    assert set(of_pair(asked).values()) == {2}


def test_locks_that_are_not_recorded_get_no_probes() -> None:
    asked = Asked(5, classes=CLASSES, locks=False, clocks=True, own_lock=True)
    assert _names(of_pair(asked)) == {"none": 5, "clocked": 5, "ops": 3}
    assert _names(of_one(Asked(1, locks=False))) == {"ops": 1}


def test_probes_that_are_named_replace_the_default_ones() -> None:
    asked = Asked(6, 9, [PAGE, ways.ALL], CLASSES, timed=True, clocks=True, own_lock=True)
    expected = {"none": 9, "clocked": 6, "timed": 6, "lock:page": 6, "all": 6, "own-lock": 6}
    assert _names(of_pair(asked)) == _names(of_one(asked)) == expected


def test_a_single_run_has_all_probes_and_nothing_beside_it() -> None:
    assert _names(of_one(Asked(1, classes=CLASSES, clocks=True, own_lock=True))) == {"all": 1}
    assert _names(of_one(Asked(1, 4, [ways.OPS]))) == {"none": 4, "ops": 1}
    assert _names(of_one(Asked(1, timed=True))) == {"timed": 1, "all": 1}


def test_more_runs_of_a_foreign_module_see_operations_and_each_class() -> None:
    """Also more than ``ab`` would make: nothing cheaper tells of its locks."""
    assert _names(of_one(Asked(20, classes=CLASSES))) == {
        "none": 20,
        "ops": 20,
        "all": 3,
        "lock:page": 20,
        "lock:pool": 20,
    }
    assert "none" not in _names(of_one(Asked(20, 0, classes=CLASSES)))


def test_names_are_kinds_classes_and_all_classes() -> None:
    found = named(["ops", "page", "each", "timed+pool", "timed+ops"], CLASSES)
    assert [way.name for way in found] == [
        *("ops", "lock:page", "lock:pool", "timed+lock:pool", "timed+ops")
    ]


@pytest.mark.parametrize("word", ["slab", "lock:page", "timed", "timed+", "own-lock", "none", ""])
def test_what_the_target_has_not_is_refused_with_what_it_has(word: str) -> None:
    with pytest.raises(UsageError, match="it has page, pool") as caught:
        named([word], CLASSES)
    assert "\n" not in caught.value.message
    assert "ops, locks, all, each" in caught.value.hint


def test_locks_that_are_not_seen_cannot_be_asked_for() -> None:
    assert named(["ops", "all"], CLASSES, locks=False)
    for word in ("page", "each", "locks"):
        with pytest.raises(UsageError, match="--locks none has none"):
            named([word], CLASSES, locks=False)


def test_a_timed_build_that_is_not_there_cannot_be_asked_for() -> None:
    asked = Asked(3, probes=named(["timed+page"], CLASSES), classes=CLASSES)
    for counts in (of_one, of_pair):
        with pytest.raises(UsageError, match="needs a timed build"):
            counts(asked)
