"""Plots of a comparison, PNG and SVG: one file a kind of figure."""

import logging
from collections.abc import Callable
from pathlib import Path

from z3trace.analysis.comparing.comparison import Comparison

SUFFIXES = ("png", "svg")
# Where a home directory takes no files it draws all the same, and says three lines about it.
logging.getLogger("matplotlib").setLevel(logging.ERROR)


def figures() -> "dict[str, Callable[[Comparison], object]]":
    """File name -> function that draws the figure."""
    from z3trace.analysis.plots import heat, latency, lockorder, locks, ratios

    return {
        "latency-ecdf": latency.ecdf,
        "latency-percentiles": latency.percentiles,
        "locks": locks.draw,
        "ratios": ratios.draw,
        "latency-by-run": heat.draw,
        "lock-order": lockorder.of_comparison,
    }


def names() -> list[str]:
    """What the plots of a comparison are called in their directory."""
    return [f"{name}.{suffix}" for name in figures() for suffix in SUFFIXES]


def write(comparison: Comparison, directory: Path) -> list[Path]:
    """Draw every figure into *directory* as PNG and SVG; the paths written."""
    from z3trace.analysis.plots import style

    written = []
    for name, draw in figures().items():
        figure = draw(comparison)
        for suffix in SUFFIXES:
            path = directory / f"{name}.{suffix}"
            style.save(figure, path)
            written.append(path)
        style.close(figure)
    return written


def svg(comparison: Comparison) -> dict[str, str]:
    """Every figure as SVG text."""
    from z3trace.analysis.plots import style

    drawings = {}
    for name, draw in figures().items():
        figure = draw(comparison)
        drawings[name] = style.svg(figure)
        style.close(figure)
    return drawings
