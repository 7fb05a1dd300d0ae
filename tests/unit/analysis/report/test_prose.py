"""Plain text for a mailing list."""

import shlex

from hypothesis import given
from hypothesis import strategies as st

from z3trace.analysis.report import prose


@given(st.text())
def test_no_line_is_too_long_or_not_ascii(text: str) -> None:
    for line in prose.wrap(text, "- ", "  "):
        assert len(line) <= prose.WIDTH
        assert line.isascii()


def test_a_list_breaks_behind_its_commas() -> None:
    lines = prose.wrap(",".join(f"word{i}" for i in range(30)))
    assert len(lines) > 1
    assert all(line.endswith(",") for line in lines[:-1])


@given(st.lists(st.text(alphabet="abc -_'\"$", min_size=1), min_size=1, max_size=30))
def test_a_command_can_be_pasted(words: list[str]) -> None:
    text = "\n".join(prose.shell_command(words))
    assert shlex.split(text.replace("\\\n", " ")) == words


def test_a_heading_is_underlined_and_indents_hold() -> None:
    assert prose.heading("Caveats") == ["Caveats", "-------"]
    assert prose.wrap("", "name:  ") == ["name:"]
    first, *rest = prose.wrap("word " * 40, "- ", "  ")
    assert first.startswith("- word")
    assert all(line.startswith("  word") for line in rest)


@given(st.lists(st.sampled_from(["word", ">", "->", "f > g", "a,>b"]), min_size=1, max_size=60))
def test_no_line_begins_as_a_quotation_does(words: list[str]) -> None:
    lines = prose.wrap(" ".join(["said", *words]))
    assert not [line for line in lines if line.startswith(">")]
