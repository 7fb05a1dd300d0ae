"""Whether the runs of a session are alike."""

import msgspec
import numpy as np
import pytest
from samples import recording

from z3trace.analysis.figures import stability
from z3trace.analysis.figures.recording import Digest
from z3trace.data.model import Recording


def test_drift_first_run_and_modes_are_told() -> None:
    random = np.random.default_rng(10)
    steady = np.exp(random.normal(0, 0.01, 20))
    change, p = stability.drift(steady * np.linspace(1, 1.2, 20))
    assert change == pytest.approx(0.2, abs=0.03)
    assert p < 0.001
    assert stability.drift(steady)[1] > 0.01
    assert stability.first_apart(steady) == 0
    assert stability.first_apart(np.concatenate([[1.3], steady])) == pytest.approx(0.3, abs=0.03)
    assert stability.modes(steady) is None
    low, high = stability.modes(np.concatenate([steady, steady * 1.5])) or (steady, steady)
    assert low.size == high.size == 20


def test_few_or_equal_runs_say_nothing() -> None:
    assert stability.drift(np.array([1.0, 2, 3, 4])) == (0, 1)
    assert stability.drift(np.ones(9)) == (0, 1)
    assert stability.first_apart(np.array([9.0, 1, 1, 1])) == 0
    assert stability.modes(np.array([1.0, 1, 1, 9, 9, 9])) is None


def test_notes_name_the_figure() -> None:
    first = recording("cold", runs=1, scale=3.0, seed=7).runs
    warm = recording("warm", runs=11).runs[1:]
    made = recording("cold")
    digest = Digest.of(
        Recording(path="x", session=made.session, runs=[first[0], *warm], complete=True)
    )
    notes = list(stability.notes(digest))
    (note,) = notes
    assert note.startswith("the first run is off the others, warm-up?: latency alloc mean +")
    assert list(stability.notes(Digest.of(recording("warm")))) == []


def test_a_first_run_is_nothing_where_runs_to_warm_up_were_made() -> None:
    first = recording("cold", runs=1, scale=3.0, seed=7).runs[0]
    warm = recording("warm", runs=11)
    warming = msgspec.structs.replace(warm.runs[0], unused="warm-up")
    made = msgspec.structs.replace(warm, runs=[warming, first, *warm.runs[1:]])
    assert list(stability.notes(Digest.of(made))) == []


def test_one_sentence_tells_the_modes_of_all_figures() -> None:
    slow, fast = (recording("x", runs=6, scale=scale, seed=3) for scale in (1.0, 1.5))
    made = msgspec.structs.replace(slow, runs=slow.runs + fast.runs)
    modal = [note for note in stability.notes(Digest.of(made)) if "two modes" in note]
    (note,) = modal
    assert note.startswith("two modes: ")
    assert "latency alloc mean (6 runs at " in note
    assert "throughput mean (6 runs at " in note
