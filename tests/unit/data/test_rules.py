"""The rules in Python are those of the C headers, by number and by name."""

import re

import pytest

from z3trace.bpf.programs import probe_source
from z3trace.data import rules


def _enumerated(name: str) -> list[str]:
    text = (probe_source() / "check.h").read_text()
    body = re.search(rf"enum {name} {{(.*?)}};", text, re.S)
    assert body
    return re.findall(r"Z3T_\w+", re.sub(r"/\*.*?\*/", "", body[1], flags=re.S))


def test_every_rule_of_the_kernel_has_its_name_at_its_number() -> None:
    names = [
        word.removeprefix("Z3T_").lower().replace("_", "-")
        for word in _enumerated("z3t_check_rule")
    ]
    assert names[0] == "no-offence"
    assert names[-1] == "check-rules"  # how many there are
    assert tuple(names[1:-1]) == rules.IN_KERNEL[1:]


def test_numbers_are_those_of_the_table() -> None:
    for rule in rules.RULES:
        if rule.number is not None:
            assert rules.IN_KERNEL[rule.number] == rule.name
    assert rules.IN_KERNEL[0] == ""


def test_steps_have_a_word_for_each_kind() -> None:
    kinds = _enumerated("z3t_step_kind")
    assert kinds == ["Z3T_ATTEMPT", "Z3T_ACQUIRED", "Z3T_TRY_FAILED", "Z3T_RELEASED"]
    words = dict(zip(kinds, rules.STEP_KINDS, strict=True))
    assert words["Z3T_RELEASED"] == "releases"
    assert words["Z3T_ATTEMPT"] == "asks for"


def test_tests_of_a_condition_are_those_a_target_can_name() -> None:
    from typing import get_args, get_type_hints

    from z3trace.target.definition import Condition

    assert set(get_args(get_type_hints(Condition)["test"])) == set(rules.TESTS)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.name)
def test_a_rule_can_be_told_in_a_sentence(rule: rules.Rule) -> None:
    assert rules.BY_NAME[rule.name] is rule
    assert rule.meaning[0].islower()
    assert not rule.meaning.endswith(".")
