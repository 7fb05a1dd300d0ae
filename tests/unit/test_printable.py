"""What does not print is made visible, whatever it is."""

import sys
import unicodedata

import pytest

from z3trace.columns import table
from z3trace.printable import joined, visible


def test_every_character_that_is_obeyed_or_not_seen_becomes_visible() -> None:
    """Controls, formats (direction, width, tags), surrogates, separators of Unicode."""
    for number in range(sys.maxunicode + 1):
        char = chr(number)
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            text = visible(char)
            assert text.isascii(), hex(number)
            assert text.isprintable(), hex(number)
            assert text.startswith("\\"), hex(number)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202ex", "\\u202ex"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\x9b", "\\x9b"),
        ("\U000e0041", "\\U000e0041"),
        ("na\u00efve \u4e2d \U0001f600 C:\\x", "na\u00efve \u4e2d \U0001f600 C:\\x"),
    ],
)
def test_it_is_written_as_python_writes_it(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_what_is_kept() -> None:
    assert visible("a\nb\x1b", keep="\n") == "a\nb\\x1b"


def test_a_line_of_a_text_stays_one() -> None:
    assert joined(["one\ntwo  ", "", "three"]) == "one\\ntwo\n\nthree\n"
    assert joined([]) == ""


def test_a_row_of_a_table_stays_a_line_and_aligned() -> None:
    lines = table(["", "n"], [["a\nb", "1"], ["abcdef", "22"]])
    assert lines == ["         n", "a\\nb     1", "abcdef  22"]
