"""A table before any form of report has it."""

from z3trace.analysis.report.table import Table

WIDE = Table(["name", "a", "b"], [["x" * 60, "1", "22"], ["y", "333", "4"]])


def test_columns_of_words_stand_left_and_numbers_right() -> None:
    assert Table(["", "n", "m"], [["a", "b", "1"], ["aa", "bb", "22"]], 2).aligned() == [
        "    n    m",
        "a   b    1",
        "aa  bb  22",
    ]


def test_columns_can_be_left_out() -> None:
    less = Table(["a", "b", "c"], [["1", "2", "3"]], 2).without({0, 2})
    assert (less.header, less.rows, less.words) == (["b"], [["2"]], 1)


def test_the_first_column_gives_way() -> None:
    lines = WIDE.cut(30).aligned()
    assert max(map(len, lines)) == 30
    assert lines[1].startswith("xxx")
    assert "..  " in lines[1]
    assert WIDE.cut(72).rows == WIDE.rows
