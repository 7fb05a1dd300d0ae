"""Plain text for a mailing list: ASCII, at most 72 columns."""

import re
import shlex
import textwrap
from collections.abc import Sequence

WIDTH = 72


def ascii_only(text: str) -> str:
    return text.encode("ascii", "replace").decode().replace("\t", " ")


class _Wrapper(textwrap.TextWrapper):
    """Breaks lines at blanks, and a list without blanks behind a comma."""

    wordsep_simple_re = re.compile(r"([ ]+|(?<=,)(?=[^ ]))")


def wrap(text: str, first: str = "", rest: str | None = None) -> list[str]:
    """Lines of *text*, the first indented by *first*, the others by *rest*."""
    wrapper = _Wrapper(
        WIDTH,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=True,
        break_on_hyphens=False,
    )
    return wrapper.wrap(ascii_only(text)) or [first.rstrip()]


def heading(text: str) -> list[str]:
    return [text, "-" * len(text)]


def shell_command(words: Sequence[str]) -> list[str]:
    """A shell command over several lines, each but the last ended by a backslash; a word
    is never cut, so that it can be pasted."""
    lines = [" "]
    for word in map(shlex.quote, words):
        if len(lines[-1]) + len(word) > WIDTH - 3 and lines[-1].strip():
            lines.append("   ")
        lines[-1] += " " + word
    return [ascii_only(line) for line in [f"{line} \\" for line in lines[:-1]] + lines[-1:]]
