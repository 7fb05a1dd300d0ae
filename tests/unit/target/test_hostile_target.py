"""A small part of tests/fuzz/targets.py: what a stranger's TOML file can be."""

import random
from functools import partial
from pathlib import Path

import pytest
from fuzz import targets, trials

from z3trace.errors import InputError


def test_mutated_targets_end_in_a_recording_or_in_one_of_our_errors() -> None:
    outcomes = targets.fuzz(600, first=55_000)
    assert not outcomes["FAILED"]
    assert outcomes["recorded"] > 20
    assert outcomes["loaded"] > 20
    assert outcomes["InputError"] > 100


def test_the_good_ones_are_good(tmp_path: Path) -> None:
    """Else mutations of them would say little."""
    path = tmp_path / "x.toml"
    for use, text in targets.good():
        path.write_text(text)
        assert use(path) in ("recorded", "loaded")
    assert [each.name for each in tmp_path.iterdir()] == ["x.toml"]


def test_a_fault_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(targets.mutated(random.Random(1), targets.WHOLE))

    def traceback(_: Path) -> str:
        raise KeyError("x")

    def two_lines(_: Path) -> str:
        raise InputError("a\nb")

    assert trials.ended(partial(traceback, path)).startswith("FAILED: KeyError")
    assert trials.ended(partial(two_lines, path)).startswith("FAILED")
    monkeypatch.setattr(targets, "good", lambda: [(_left, targets.WHOLE)])
    assert targets.fuzz(3)["FAILED"] == 3


def _left(path: Path) -> str:
    path.with_name("left").touch()
    return "recorded"
