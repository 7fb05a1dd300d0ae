"""A small part of tests/fuzz/patches.py, canaries and attacks on them, and of mailbox.py."""

import subprocess
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


@pytest.fixture(scope="module")
def spatch_runs_python(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Debian 13's finds its library of Python only beside Python's headers, which a bare
    machine does not have: there no attack can be made of it, with a box or without."""
    home = tmp_path_factory.mktemp("python")
    (home / "x.c").write_text("int f(void) { return 1; }\n")
    rules = '@r@ position p; @@\nreturn@p ...;\n@script:python@ p << r.p; @@\nprint("it runs")\n'
    (home / "x.cocci").write_text(rules)
    command = ["spatch", "--very-quiet", "--sp-file", home / "x.cocci", home / "x.c"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unable to find the Python library" in result.stdout + result.stderr:
        pytest.skip("this spatch finds no Python to run")
    assert "it runs" in result.stdout


@pytest.mark.usefixtures("spatch_runs_python")
@pytest.mark.parametrize("name", PASSED)
def test_without_box_and_refusal_the_same_attack_would(name: str, tmp_path: Path) -> None:
    """Else the test above could not fail."""
    with patches.canaries() as outside:
        attack = next(made for made in attacks(outside.prey, 200) if made.name == name)
        shown = patches.nothing_refused(attack, tmp_path, boxed=False)
        assert {"file changed", "port called", "process stopped"} <= set(outside.touched(shown))


def test_mutated_mails_end_in_a_source_or_in_one_of_our_errors() -> None:
    outcomes = mailbox.fuzz(60, first=77_000)
    assert outcomes.total() == 120, "as many mails as patches"
    assert not outcomes["FAILED"]
    assert outcomes["applied"] > 10
    assert outcomes["InputError"] > 10
