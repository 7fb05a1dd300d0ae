"""Axes that read as times."""

import pytest

from z3trace.analysis.plots import style


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 ns"), (10, "10 ns"), (2000, "2 µs"), (5e6, "5 ms"), (1e9, "1 s")]
)
def test_ticks_are_short(value: float, text: str) -> None:
    assert style._short(value) == text


def test_spare_panels_are_hidden() -> None:
    figure, axes = style.panels(3)
    assert len(axes) == 3
    assert [axis.get_visible() for axis in figure.axes] == [True, True, True, False]
    style.close(figure)
