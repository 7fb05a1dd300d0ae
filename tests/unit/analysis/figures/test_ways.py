"""Which way a figure is taken from."""

from samples import WAYS, seen

from z3trace.analysis.figures import metrics, ways
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.ways import Subject

HOLD = Subject("hold", "page")


def _counted(**runs: int) -> "ways.Choice":
    """The choice for a side with so many runs of each way; ``lock`` stands for lock:page."""
    known = {name.replace("lock", "lock:page"): n for name, n in runs.items()}
    return ways.choose([HOLD], [lambda _, way: known.get(way, 0)], 5)


def test_every_metric_has_its_ways() -> None:
    assert set(ways.FROM) == set(metrics.BY_NAME)


def test_the_way_that_disturbs_least_is_taken() -> None:
    assert _counted(all=20, lock=20, timed=5) == {HOLD: "timed"}
    assert _counted(all=20, lock=5) == {HOLD: "lock:page"}
    assert _counted(all=5) == {HOLD: "all"}
    assert _counted(ops=5) == {}, "probes on operations see no lock"


def test_a_way_with_too_few_runs_is_taken_only_if_no_other_has_enough() -> None:
    assert _counted(timed=4, all=5) == {HOLD: "all"}
    assert _counted(timed=4, all=4) == {HOLD: "timed"}


def test_a_way_that_one_side_lacks_is_not_the_other_side_s() -> None:
    sides = [{"timed": 10, "all": 5}, {"all": 5}]
    runs = [lambda _, way, side=side: side.get(way, 0) for side in sides]
    assert ways.choose([HOLD], runs, 5) == {HOLD: "all"}


def test_a_way_that_lost_too_much_is_the_last() -> None:
    runs = [lambda _, way: {"timed": 10, "all": 3}.get(way, 0)]
    assert ways.choose([HOLD], runs, 5, lambda way: way == "timed") == {HOLD: "all"}
    assert ways.choose([HOLD], runs, 5, lambda _: True) == {HOLD: "timed"}


def test_each_metric_of_a_whole_recording() -> None:
    digest = Digest.of(seen("x"))
    taken = {of.metric: digest.way(of) for of in digest.subjects() if of.name != "own"}
    assert taken == {
        "throughput": "none",
        "latency": "clocked",
        "corrected_latency": "ops",
        "wait": "timed",
        "corrected_wait": "lock:page",
        "hold": "timed",
        "corrected_hold": "lock:page",
        "contended": "timed",
        "acquisitions": "timed",
        "trylock_failures": "timed",
        "part": "all",
        "site": "timed",
    }
    assert digest.ways == ways.order(WAYS)


def test_words_and_order() -> None:
    assert ways.words("lock:page") == "page probes"
    assert ways.words("timed+lock:page") == "timed build + page probes"
    shuffled = ["timed+lock:page", "all", "lock:page", "timed", "lock:a", "ops", "clocked", "none"]
    assert ways.order(shuffled) == [
        *("none", "clocked", "timed", "ops", "lock:a", "lock:page", "all", "timed+lock:page")
    ]
