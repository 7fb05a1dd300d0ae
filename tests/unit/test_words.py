"""Plural forms."""

from z3trace.words import amount, plural


def test_one_is_one_and_all_else_is_many() -> None:
    assert [amount(n, "run") for n in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]
    assert [amount(n, "class", "classes") for n in (1, 5)] == ["1 class", "5 classes"]
    assert [plural(n, "was", "were") for n in (0, 1, 2)] == ["were", "was", "were"]
