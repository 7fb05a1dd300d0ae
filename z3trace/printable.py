"""Text from strangers as text: what a terminal or a page would obey becomes visible."""

from collections.abc import Iterable


def visible(text: str, keep: str = "") -> str:
    r"""*text* with every character that does not print as Python writes it: ``\x1b``.

    Those are control characters, what turns the direction of text around, what has no
    width, blanks other than the blank, and what Unicode does not know; not those of *keep*.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in keep else char.encode("unicode_escape").decode()
        for char in text
    )


def joined(lines: Iterable[str]) -> str:
    """The lines of a text: each made visible, without blanks at its end, and ended."""
    return "".join(f"{visible(line).rstrip()}\n" for line in lines)
