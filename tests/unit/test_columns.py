"""Aligned columns."""

from z3trace.columns import table


def test_the_first_column_is_to_the_left_and_figures_to_the_right() -> None:
    assert table(["lock", "count"], [["page", "7"], ["stale lock", "12345678"]]) == [
        "lock           count",
        "page               7",
        "stale lock  12345678",
    ]


def test_more_columns_to_the_left_and_no_blanks_at_the_end() -> None:
    assert table(["a", "b"], [["1", "2"], ["333", ""]], left=2) == ["a    b", "1    2", "333"]


def test_a_table_without_rows_is_its_header() -> None:
    assert table(["a", "b"], []) == ["a  b"]
