"""Plain text for a mailing list: ASCII, at most 72 columns."""

import re
import shlex
import textwrap
from collections.abc import Sequence

from z3trace.printable import visible

WIDTH = 72


def ascii_only(text: str) -> str:
    """*text* with what does not print made visible, and ``?`` for what is not ASCII."""
    return visible(text.replace("\t", " ")).encode("ascii", "replace").decode()


class _Wrapper(textwrap.TextWrapper):
    """Breaks lines at blanks, and a list without blanks behind a comma; never before a >,
    which at a line's beginning is the mark of a quotation."""

    wordsep_simple_re = re.compile(r"([ ]+(?!>)|(?<=,)(?=[^ >]))")


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


def labelled(name: str, value: str) -> list[str]:
    """``name:`` and its value beside it, which goes on below itself."""
    name = ascii_only(name)
    name = name if len(name) <= WIDTH // 2 else f"{name[: WIDTH // 2 - 2]}.."
    return wrap(value, f"{name + ':':10}", " " * 10)


def heading(text: str) -> list[str]:
    return [text, "-" * len(text)]


def _quoted(word: str) -> str:
    """A word as bash reads it; what does not print is escaped in its own way of quoting."""
    if visible(word) == word:
        return shlex.quote(word)
    escaped = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{visible(escaped)}'"


def shell_command(words: Sequence[str]) -> list[str]:
    """A shell command over several lines, each but the last ended by a backslash; a word
    is never cut, so that it can be pasted."""
    lines = [" "]
    for word in map(_quoted, words):
        if len(lines[-1]) + len(word) > WIDTH - 3 and lines[-1].strip():
            lines.append("   ")
        lines[-1] += " " + word
    return [ascii_only(line) for line in [f"{line} \\" for line in lines[:-1]] + lines[-1:]]
