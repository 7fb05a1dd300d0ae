"""Two ways that do not agree."""

import msgspec
from samples import run_seen, seen

from z3trace.analysis.comparing import contradiction
from z3trace.analysis.comparing.comparison import Comparison, compare
from z3trace.analysis.comparing.contradiction import Witness
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.run import Key
from z3trace.analysis.statistics.effect import Effect
from z3trace.data.model import Recording

KEY = Key("hold", "", "page", "mean", "ns")


def _at(ratio: float, error: float = 0.02, resolution: float = 0.0) -> Effect:
    wide = 1 + 2 * error + resolution
    return Effect(
        1000, 1000 * ratio, ratio, ratio / wide, ratio * wide, 0.01, 10, 10, error, resolution
    )


def _pair(one: Effect, other: Effect) -> contradiction.Pair:
    return KEY, "timed", one, Witness("lock:page", other, (0.1, 0.1), True)


def test_intervals_that_touch_do_not_contradict() -> None:
    assert contradiction.find([_pair(_at(0.7), _at(0.75))]) == []
    (found,) = contradiction.find([_pair(_at(0.7), _at(1.1))])
    assert (found.way, found.other.way) == ("timed", "lock:page")


def test_of_many_pairs_some_come_apart_by_chance() -> None:
    """Apart by 3.1 standard errors: enough for one pair, not for one of fifty."""
    apart = _pair(_at(0.7), _at(0.7 * 1.092))
    assert len(contradiction.find([apart])) == 1
    agrees = _pair(_at(0.7), _at(0.7))
    assert contradiction.find([apart, *[agrees] * 49]) == []


def test_what_a_bucket_hides_is_no_contradiction() -> None:
    assert contradiction.find([_pair(_at(0.7, resolution=0.2), _at(0.85, resolution=0.05))]) == []


def _split(timed: float, probes: float) -> Comparison:
    """Holds change by *timed* for the timed build, and by *probes* for the probes."""

    def after() -> Recording:
        made = seen("after", seed=2)
        runs = []
        for run in made.runs:
            scale = probes if run.way == "lock:page" else timed
            changed = run_seen(run.way, run.seed, scale=1, lock_scale=scale, seed=2)
            runs.append(msgspec.structs.replace(changed, number=run.number, order=run.order))
        return msgspec.structs.replace(made, runs=runs)

    return compare(Digest.of(seen("before")), Digest.of(after()))


def test_a_figure_that_is_contradicted_has_no_verdict() -> None:
    found = _split(0.8, 1.3)
    holds = [each for each in found.contradictions if each.key == KEY]
    assert [(each.way, each.other.way) for each in holds] == [("timed", "lock:page")]
    (hold,) = found.select("hold", "mean")
    assert hold.verdict == "contradicted"
    assert hold not in found.regressions()
    agreed = _split(0.8, 0.8)
    assert agreed.contradictions == []
    (hold,) = agreed.select("hold", "mean")
    assert hold.verdict == "better"
