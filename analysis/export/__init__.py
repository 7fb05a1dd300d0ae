"""A recording in other tools' forms: one file a form, one row each in ``FORMS``."""

from collections.abc import Callable, Sequence
from pathlib import Path

from z3trace.analysis.export import hgrm, openmetrics, tables
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.sides import told_apart
from z3trace.data import outputs
from z3trace.errors import UsageError

Writer = Callable[[Sequence[Digest], str], str | bytes]


#: How a file's name ends -> what is written to it, of recordings and the series asked for.
FORMS: dict[str, Writer] = {
    ".csv": lambda digests, _: tables.csv(digests),
    ".parquet": lambda digests, _: tables.parquet(digests),
    ".prom": lambda digests, _: openmetrics.text(digests),
    ".hgrm": hgrm.only,
}


def check_name(path: Path) -> None:
    """UsageError if there is no export by that name."""
    if path.suffix not in FORMS:
        raise UsageError(f"{path}: an export ends in one of {', '.join(FORMS)}")


def write(digests: Sequence[Digest], path: Path, series: str) -> None:
    """Write *digests* in the form that the name asks for, whole or not at all; each has a
    name of its own in it.  IncomparableError if there is nothing in one that counts."""
    check_name(path)
    for digest in digests:
        digest.require_runs()
    outputs.deliver(path, FORMS[path.suffix](told_apart(digests), series))
