"""A small part of tests/fuzz/patches.py: canaries, and attacks on them."""

from pathlib import Path

import pytest
from fuzz import patches
from hostile import attacks

#: What reached the host's Python through the pattern that stood here before.
PASSED = [
    "constraint",
    "fresh identifier",
    "rule on a line of its own",
    "rule with a comment",
    "rule with signs",
]


def test_no_attack_touches_a_canary() -> None:
    tried, faults = patches.judge(20, seed=4)
    assert set(tried.values()) == {20}
    assert faults == []


@pytest.mark.parametrize("name", PASSED)
def test_without_box_and_refusal_the_same_attack_would(name: str, tmp_path: Path) -> None:
    """Else the test above could not fail."""
    with patches.canaries() as outside:
        attack = next(made for made in attacks(outside.prey, 200) if made.name == name)
        shown = patches.nothing_refused(attack, tmp_path, boxed=False)
        assert {"file changed", "port called", "process stopped"} <= set(outside.touched(shown))
