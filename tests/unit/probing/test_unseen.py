"""What is said of lock call sites that are not seen."""

import fakes
import pytest

from z3trace.data.model import CallSite
from z3trace.probing import unseen

LOCK = "_raw_spin_lock"


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> fakes.Types:
    """A kernel whose BTF has the lock function."""
    known = fakes.Types({LOCK: 1})
    monkeypatch.setattr(unseen, "KernelTypes", lambda: known)
    return known


def _called(number: int, function: str, *, attached: bool = False, reason: str = "") -> CallSite:
    return CallSite(
        number=number,
        function=function,
        offset=0,
        lock_function=LOCK,
        action="acquire",
        kind="spin",
        attached=attached,
        reason=reason,
    )


def test_what_cannot_be_seen_is_told_with_the_mode_that_sees_it(types: fakes.Types) -> None:
    sites = [_called(0, "a", attached=True), _called(1, "b"), _called(2, "a")]
    said = unseen.loss(sites, "callsite")
    assert said.startswith("2 of 3 lock call sites cannot be seen, in a, b: what they do is lost")
    assert "--locks hybrid sees them" in said
    assert "hybrid" not in unseen.loss(sites, "hybrid")
    types.known = {}
    assert "hybrid" not in unseen.loss(sites, "callsite")


def test_sites_that_were_not_to_be_seen_are_no_loss(types: fakes.Types) -> None:
    left_out = [_called(0, "a", attached=True), _called(1, "b", reason="not of class page")]
    assert unseen.loss(left_out, "callsite") == ""
    assert unseen.loss([_called(0, "a")], "none") == ""


@pytest.mark.parametrize("reason", [unseen.ON_CONDITION, f"notrace{unseen.AND_JUMPS}"])
def test_what_hybrid_does_not_see_either_is_not_promised(types: fakes.Types, reason: str) -> None:
    assert "hybrid" not in unseen.loss([_called(0, "a", reason=reason)], "callsite")
