"""A small part of tests/fuzz/patches.py, canaries and attacks on them, and of mailbox.py."""

from pathlib import Path

import pytest
from fuzz import mailbox, patches
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


#: What a spatch says that has come as far as to a script, and has no Python for it: that of
#: Debian 13 finds its library only beside Python's headers, which a bare machine has not.
NO_PYTHON = "unable to find the Python library"


@pytest.mark.parametrize("name", PASSED)
def test_without_box_and_refusal_the_same_attack_would(name: str, tmp_path: Path) -> None:
    """Else the test above could not fail.  It does all that it is for, or what it brings is
    handed to a Python that is not there."""
    with patches.canaries() as outside:
        attack = next(made for made in attacks(outside.prey, 200) if made.name == name)
        shown = patches.nothing_refused(attack, tmp_path, boxed=False)
        touched = set(outside.touched(shown))
    assert {"file changed", "port called", "process stopped"} <= touched or NO_PYTHON in shown


def test_mutated_mails_end_in_a_source_or_in_one_of_our_errors() -> None:
    outcomes = mailbox.fuzz(60, first=77_000)
    assert outcomes.total() == 120, "as many mails as patches"
    assert not outcomes["FAILED"]
    assert outcomes["applied"] > 10
    assert outcomes["InputError"] > 10
