"""Whether the runs of a session are alike."""

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


def test_notes_name_the_recording_and_the_figure() -> None:
    first = recording("cold", runs=1, scale=3.0, seed=7).runs
    warm = recording("warm", runs=11).runs[1:]
    made = recording("cold")
    digest = Digest.of(
        Recording(path="x", session=made.session, runs=[first[0], *warm], complete=True)
    )
    notes = list(stability.notes(digest))
    assert any(note.startswith("cold: latency alloc mean of the first run is +") for note in notes)
    assert list(stability.notes(Digest.of(recording("warm")))) == []
