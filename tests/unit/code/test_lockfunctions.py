"""The table of lock functions."""

import re

import pytest

from z3trace.code.lockfunctions import LOCK_FUNCTIONS, LOCK_HELPER, PATTERN, SLOW_PATHS


@pytest.mark.parametrize(
    ("name", "action", "kind"),
    [
        ("_raw_spin_lock_irqsave", "acquire", "spin"),
        ("_raw_spin_lock_nested", "acquire", "spin"),
        ("_raw_spin_trylock_bh", "try", "spin"),
        ("_raw_spin_unlock_irqrestore", "release", "spin"),
        ("_raw_read_lock", "acquire", "read"),
        ("_raw_write_trylock", "try", "write"),
        ("_raw_write_unlock_bh", "release", "write"),
        ("rt_spin_lock", "acquire", "spin"),
        ("rt_spin_trylock_bh", "try", "spin"),
        ("rt_read_unlock", "release", "read"),
        ("rt_write_trylock", "try", "write"),
    ],
)
def test_what_a_lock_function_does(name: str, action: str, kind: str) -> None:
    row = LOCK_FUNCTIONS[name]
    assert (row.name, row.action, row.kind) == (name, action, kind)


@pytest.mark.parametrize("name", ["_raw_spin_locks", "raw_spin_lock", "_raw_spin_lock_irqrestore"])
def test_other_names_are_no_lock_functions(name: str) -> None:
    assert name not in LOCK_FUNCTIONS
    assert not re.fullmatch(PATTERN, name)


def test_the_expression_is_the_table() -> None:
    assert all(re.fullmatch(PATTERN, name) for name in LOCK_FUNCTIONS)


def test_every_kind_that_waits_has_a_slow_path() -> None:
    assert {row.kind for row in LOCK_FUNCTIONS.values()} == set(SLOW_PATHS)


@pytest.mark.parametrize("name", ["spin_lock", "z3fold_page_trylock", "unlock", "write_lock_irq"])
def test_helpers_are_known_by_name(name: str) -> None:
    assert LOCK_HELPER.search(name)


@pytest.mark.parametrize("name", ["block", "lockdep_init", "lock_page_list"])
def test_what_only_sounds_like_a_lock_is_no_helper(name: str) -> None:
    assert not LOCK_HELPER.search(name)
