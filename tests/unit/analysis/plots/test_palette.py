"""One palette: what the style sheet has is what the palette has."""

import re

from z3trace.analysis.plots import palette
from z3trace.analysis.report import pages


def _variables(text: str) -> dict[str, str]:
    return dict(re.findall(r"(--\w+): (#[0-9a-f]+)", text))


def test_the_pages_colours_are_the_palette_s() -> None:
    light, dark = (
        _variables(part) for part in pages.text("report.css").split("body {")[0].split("@media")
    )
    for name, (on_light, on_dark) in palette.PAGE.items():
        assert (light[name], dark[name]) == (on_light, on_dark)
    assert set(dark) == set(palette.PAGE)


def test_no_plot_has_a_colour_of_its_own() -> None:
    from importlib import resources

    for file in resources.files("z3trace.analysis.plots").iterdir():
        if file.name.endswith(".py") and file.name != "palette.py":
            assert not re.search(r"#[0-9A-Fa-f]{6}\b", file.read_text()), file.name
