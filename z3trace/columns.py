"""Aligned columns of text."""

from collections.abc import Iterable, Sequence

from z3trace.printable import visible


def table(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> list[str]:
    """Columns aligned with blanks, the first *left* of them to the left; every cell is made
    visible, so that a row stays a line."""
    lines = [[visible(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return [
        "  ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
