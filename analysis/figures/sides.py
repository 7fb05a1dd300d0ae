"""Recordings that are shown beside each other, each by a name that no other one has."""

from collections import Counter
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from z3trace.analysis.figures.recording import Digest
from z3trace.printable import visible

#: Characters of a name in a plot or at the head of a column.
MOST = 40


def _shown(name: str) -> str:
    """What is left of a name where it is shown: controls made visible, and no apostrophe
    before it, which a CSV file may put there."""
    return visible(name).lstrip("'")


def _by_path(digests: Sequence[Digest]) -> list[str]:
    """Of recordings with one label: as much of each path's end as tells them apart, or a
    number."""
    parts = [Path(digest.path).parts for digest in digests]
    for length in range(1, max(map(len, parts), default=0) + 1):
        ends = ["/".join(part[-length:]) for part in parts]
        if len(set(ends)) == len(ends):
            return ends
    return [str(number) for number in range(1, len(digests) + 1)]


def names(digests: Sequence[Digest]) -> list[str]:
    """A name for each recording: its label, and what tells it from others with that label:
    the name of its file, or a number."""
    labels = [digest.session.label for digest in digests]
    shared = Counter(map(_shown, labels))
    found = list(labels)
    for label in (label for label, often in shared.items() if often > 1):
        alike = [i for i, each in enumerate(labels) if _shown(each) == label]
        ends = _by_path([digests[i] for i in alike])
        for i, end in zip(alike, ends, strict=True):
            found[i] = f"{labels[i]} ({end})"
    return _numbered(found)


def _numbered(found: list[str]) -> list[str]:
    """A number behind a name that is another one's after all."""
    taken: set[str] = set()
    for i, name in enumerate(found):
        choices = (f"{name} #{number}" if number else name for number in count())
        found[i] = next(choice for choice in choices if _shown(choice) not in taken)
        taken.add(_shown(found[i]))
    return found


def told_apart(digests: Sequence[Digest]) -> list[Digest]:
    """The recordings, each with a label of its own."""
    return [digest.named(name) for digest, name in zip(digests, names(digests), strict=True)]


def short(labels: Sequence[str], most: int = MOST) -> list[str]:
    """The same names for a plot or the head of a table: each at most about *most*
    characters, cut in its middle, and still unlike every other."""

    def cut(label: str) -> str:
        shown = visible(label)
        head = most * 3 // 5
        return shown if len(shown) <= most else f"{shown[:head]}..{shown[head + 2 - most :]}"

    return _numbered([cut(label) for label in labels])
