"""Plain text for a mailing list: ASCII, at most 72 columns."""

import textwrap

WIDTH = 72


def ascii_only(text: str) -> str:
    return text.encode("ascii", "replace").decode().replace("\t", " ")


def wrap(text: str, first: str = "", rest: str | None = None) -> list[str]:
    """Lines of *text*, the first indented by *first*, the others by *rest*."""
    indent = first if rest is None else rest
    return textwrap.wrap(
        ascii_only(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=True,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def heading(text: str) -> list[str]:
    return [text, "-" * len(text)]
