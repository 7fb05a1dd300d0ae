"""The tidy table as CSV and as Parquet: a line for each number of each run."""

import io
from collections.abc import Sequence

from z3trace.analysis.figures.recording import Digest
from z3trace.errors import Z3traceError
from z3trace.printable import visible

#: What a spreadsheet takes for the beginning of a formula, in either width.
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


def harmless(cell: object) -> object:
    """A cell of words as no spreadsheet computes it: what does not print is made visible,
    and an apostrophe stands before what would begin a formula.  Numbers stay numbers."""
    if not isinstance(cell, str):
        return cell
    text = visible(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv(digests: Sequence[Digest]) -> str:
    """The tidy frame, its words ``harmless``; ``side`` is the label."""
    from z3trace.analysis.figures import frame  # pandas: other forms do without

    return str(frame.labelled(digests).map(harmless).to_csv(index=False))


def parquet(digests: Sequence[Digest]) -> bytes:
    """The tidy frame as Parquet; Z3traceError without the package for it."""
    from z3trace.analysis.figures import frame

    buffer = io.BytesIO()
    try:
        frame.labelled(digests).to_parquet(buffer, index=False)
    except ImportError as error:
        raise Z3traceError(
            "Parquet needs pyarrow", "pip install pyarrow; or export .csv"
        ) from error
    return buffer.getvalue()
