"""A table of a report, before any form of report has it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from z3trace.columns import table
from z3trace.printable import visible


@dataclass(frozen=True)
class Table:
    """*words* columns of words, then columns of numbers; a row has a cell for each of *header*.

    *title* explains itself; *short* is for a form that has room for an explanation
    elsewhere, and the same if it is empty.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1
    title: str = ""
    short: str = ""

    def aligned(self) -> list[str]:
        """Header and rows as columns of plain text."""
        return table(self.header, self.rows, self.words)

    def without(self, columns: Collection[int]) -> "Table":
        """The table without the columns of these numbers."""
        header, *rows = (
            [cell for i, cell in enumerate(row) if i not in columns]
            for row in (self.header, *self.rows)
        )
        words = sum(i not in columns for i in range(self.words))
        return replace(self, header=header, rows=rows, words=words)

    def cut(self, width: int) -> "Table":
        """The table with its first column cut so that its lines fit *width*."""
        room = width - max(len(f"  {line}") for line in self.without({0}).aligned())

        def short(text: str) -> str:
            text = visible(text)
            return text if len(text) <= room else text[: max(room - 2, 0)] + ".."

        rows = [[short(row[0]), *row[1:]] for row in self.rows]
        return replace(self, header=[self.header[0][:room], *self.header[1:]], rows=rows)
