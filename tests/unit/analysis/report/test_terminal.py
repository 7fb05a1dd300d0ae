"""The table in a terminal."""

from samples import recording, seen

from z3trace.analysis.comparing.comparison import compare
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.report import terminal
from z3trace.analysis.report.terminal import Screen

FOUND = compare(Digest.of(recording("before")), Digest.of(recording("after", scale=0.7, seed=2)))


def test_a_narrow_screen_has_fewer_columns() -> None:
    def header(width: int) -> str:
        return terminal.render([FOUND], screen=Screen(width)).splitlines()[2]

    assert header(0).split()[-1] == "sees"
    assert header(110).split()[-1] != "sees"
    # How a figure was seen, and what of it is the instrument's, stays.
    assert header(10).split() == ["before", "after", "change", "verdict", "seen", "by", "instr."]


def test_colour_is_of_the_line_and_ends_with_it() -> None:
    text = terminal.render([FOUND], screen=Screen(colour=True))
    coloured = [line for line in text.splitlines() if "\x1b" in line]
    assert coloured
    for line in coloured:
        assert line.startswith("\x1b[32m")
        assert line.endswith("\x1b[0m")
    assert "\x1b" not in terminal.render([FOUND])


def test_quiet_lines_are_folded_and_all_are_shown_if_asked_for() -> None:
    same = compare(Digest.of(seen("before")), Digest.of(seen("after", seed=2)))
    text = terminal.render([same]).splitlines()
    body = text[3 : text.index("", 3)]
    assert [line.split()[0] for line in body] == ["throughput"]
    assert any(line.startswith("no difference (within 2 %): wait page p50") for line in text)
    whole = terminal.render([same], everything=True).splitlines()
    body = whole[3 : whole.index("", 3)]
    assert len(body) == len(same.metrics)
    assert not any(line.startswith("no difference (") for line in whole)
