"""The arithmetic of a calibration, against costs that the test knows."""

import itertools
import os
from typing import Any

import fakes
import pytest
from hypothesis import given
from hypothesis import strategies as st

from z3trace.bpf import layout
from z3trace.code.function import Method
from z3trace.probing import calibration
from z3trace.probing.calibration import _ENTRIES

COUNTS = st.integers(0, 6)


def _mix(jump: int, emulated: int) -> dict[Method, int]:
    return {"jump": jump, "emulated": emulated, "stepped": 0}


@given(COUNTS, COUNTS, COUNTS, COUNTS, st.integers(1, 500), st.integers(1, 500))
def test_two_mixes_of_probes_tell_the_cost_of_each_kind(
    a: int, b: int, c: int, d: int, jump: int, more: int
) -> None:
    emulated = jump + more
    rows = [(_mix(x, y), float(x * jump + y * emulated)) for x, y in ((a, b), (c, d))]
    cost = calibration._solve(rows)
    if a * d != c * b:
        assert cost["jump"] == pytest.approx(jump)
        assert cost["emulated"] == pytest.approx(emulated)
    elif a + b:
        # One mix twice tells no more than the mean.
        assert cost["jump"] == cost["emulated"] == pytest.approx(rows[0][1] / (a + b))


def test_where_noise_makes_a_trap_cheaper_than_a_jump_both_cost_the_mean() -> None:
    cost = calibration._solve([(_mix(2, 1), 300.0), (_mix(0, 3), 150.0)])
    assert cost == {"jump": 75.0, "emulated": 75.0}


def test_no_probes_cost_what_was_measured() -> None:
    assert calibration._solve([(_mix(0, 0), 7.0), (_mix(0, 0), 9.0)])["jump"] == 7.0


def test_probes_are_counted_by_how_they_run() -> None:
    probes = [fakes.probe(n, method=m) for n, m in enumerate(("jump", "stepped", "jump"))]  # type: ignore[arg-type]
    assert calibration._counts(probes) == {"jump": 2, "emulated": 0, "stepped": 1}


@given(st.lists(st.integers(0, 1000), min_size=4, max_size=40), st.integers(0, 5))
def test_what_only_ever_adds_does_not_move_a_lower_quartile_much(
    values: list[int], spikes: int
) -> None:
    low = calibration._low(values)
    assert low <= sorted(values)[len(values) // 2]
    spiked = calibration._low([*values, *[10**9] * (spikes * len(values) // 20)])
    assert low <= spiked <= max(values)


class _Poll:
    """Runs for 5 000 ns a call; files a latency of 700 ns, of which some in disturbed
    histograms, and of a lock taken in it a wait of 30 ns and a hold of 90 ns."""

    def __init__(self, programs: Any, operation: int, slower: float = 0.0) -> None:
        self._programs, self._operation = programs, operation
        self._noise = itertools.cycle([0.0, 0.0, 0.0, slower])

    def once(self) -> float:
        noise = next(self._noise)
        totals = self._programs.per_cpu[0].totals
        disturbed = self._programs.per_cpu[1].totals
        totals[self._operation].sum += int((400 + noise) * _ENTRIES)
        disturbed[layout.disturbed_latency(self._operation)].sum += 300 * _ENTRIES
        totals[layout.wait_series(0)].sum += 30 * _ENTRIES
        totals[layout.hold_series(0)].sum += 50 * _ENTRIES
        disturbed[layout.disturbed_hold(0)].sum += 40 * _ENTRIES
        return 5000.0 + noise


@pytest.mark.parametrize("operation", [0, 1])
def test_a_sample_is_what_was_recorded_of_a_call(operation: int) -> None:
    programs: Any = fakes.Programs()
    poll: Any = _Poll(programs, operation)
    sample = calibration._sample(programs, poll, operation)
    assert (sample.latency, sample.elapsed) == (700, 5000)
    assert (sample.wait, sample.hold) == (30, 90)
    assert (sample.spread, sample.hold_spread) == (0, 0)


def test_a_machine_that_is_slow_at_times_widens_the_spread_alone() -> None:
    programs: Any = fakes.Programs()
    poll: Any = _Poll(programs, 0, slower=1000.0)
    sample = calibration._sample(programs, poll, 0)
    assert sample.latency == 700
    assert sample.spread > 100
    assert sample.hold_spread == 0


def test_a_bystander_pays_the_difference_and_no_place_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Trampolines are in place for the second half of the calls, and closed at the end."""
    attachments: Any = fakes.Attachments()
    programs: Any = fakes.Programs()
    programs.config.text = 77
    traced: list[int] = []

    class Poll:
        def once(self) -> float:
            assert not traced or programs.config.text == 0
            return 170.0 if traced else 100.0

    def trace(*_: object) -> list[int]:
        traced.append(fakes.any_fake(os.open(os.devnull, os.O_RDONLY)))
        return list(traced)

    monkeypatch.setattr(calibration, "Attachments", lambda: attachments)
    monkeypatch.setattr(calibration.locks, "cover", lambda *_: calibration.locks.Covered())
    monkeypatch.setattr(calibration.locks, "trace_functions", trace)
    monkeypatch.setattr(calibration._Measurement, "_plan", lambda *_: fakes.plan())
    text: Any = None
    poll: Any = Poll()
    measurement = calibration._Measurement(programs, text, poll, poll)
    assert measurement._bystander() == 70.0
    assert attachments.closed
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(traced[0])
