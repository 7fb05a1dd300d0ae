"""Numbers as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from z3trace.analysis import units

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 ns"),
        (842.4, "842 ns"),
        (999.6, "1.00 us"),
        (3714, "3.71 us"),
        (12_640_000, "12.6 ms"),
        (1.2e9, "1.20 s"),
        (-1500, "-1.50 us"),
        (9999e9, "9999 s"),
        (9_223_372_036_854_775_807, "9.22G s"),
        (-9_223_372_036_854_775_807, "-9.22G s"),
        (NAN, "-"),
        (float("inf"), "-"),
    ],
)
def test_nanoseconds(value: float, text: str) -> None:
    assert units.nanoseconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (9999, "9999"),
        (12_345, "12.3k"),
        (999_900, "1.00M"),
        (1234567, "1.23M"),
        (5e9, "5.00G"),
        (509_514_788_000_000_000, "5.10e+17"),
        (0.5, "0.5"),
        (NAN, "-"),
    ],
)
def test_count(value: float, text: str) -> None:
    assert units.count(value) == text


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (1500, "ns", "1.50 us"),
        (1500, "ops/s", "1500/s"),
        (0.0123, "of acquisitions", "1.23 %"),
        (1.5, "s", "1.50 s"),
        (0.1234, "per operation", "0.123"),
        (NAN, "of acquisitions", "-"),
        (NAN, "per operation", "-"),
        (NAN, "ops/s", "-"),
    ],
)
def test_a_value_has_the_unit_of_its_metric(number: float, unit: str, text: str) -> None:
    assert units.value(number, unit) == text


def test_ratios_changes_and_intervals() -> None:
    assert units.change(0.479) == "-52.1 %"
    assert units.change(1.034) == "+3.4 %"
    assert units.change(9.99) == "+899.0 %"
    assert units.change(12.34) == "12.3 times"
    assert units.change(1073741824) == "1.07G times"
    assert units.ratio(1073741824) == "1.07G"
    assert units.interval(20_000, 3e9) == "[20.0k, 3.00G]"
    assert units.ratio(0.0001) == "<0.001", "what is not 0 never reads as 0"
    assert (units.ratio(0), units.ratio(NAN)) == ("0.000", "-")
    assert units.interval(0.5, 1.25) == "[0.500, 1.250]"
    assert units.interval(0.5, float("inf")) == "-"
    assert (units.difference(548), units.difference(-548)) == ("+548 ns", "-548 ns")
    assert (units.corrected(19, 20), units.corrected(20, 20)) == ("<20 ns", "20 ns")
    told = [units.detectable(number) for number in (0.042, 50, float("inf"), NAN)]
    assert told == ["4.2%", ">999%", "none", ""]


@given(st.floats())
def test_no_number_is_longer_than_a_column(number: float) -> None:
    """Numbers of a stranger's recording are as large as they like."""
    cells = [
        units.nanoseconds(number),
        units.count(number),
        units.change(abs(number)),
        units.ratio(abs(number)),
    ]
    assert max(map(len, cells)) <= 16, cells


def test_a_share_in_words_and_its_order() -> None:
    assert units.share(0.234) == "23%"
    assert units.share(0.201, at_most=True) == "<21%"
    assert units.share(0.0, at_most=True) == "0%"
    assert units.share(float("nan")) == "?"
    told = ["?", "95%", "<21%", "0%", ""]
    assert sorted(told, key=units.share_order) == ["", "0%", "<21%", "95%", "?"]
