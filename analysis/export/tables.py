"""The tidy table as CSV and as Parquet: a line for each number of each run."""

import io
from collections.abc import Sequence

from z3trace.analysis.figures.recording import Digest
from z3trace.errors import Z3traceError


def csv(digests: Sequence[Digest]) -> str:
    """The tidy frame; ``side`` is the label."""
    from z3trace.analysis.figures import frame  # pandas: other forms do without

    return str(frame.labelled(digests).to_csv(index=False))


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
