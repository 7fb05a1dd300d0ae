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


def form_of(path: Path, chosen: str | None = None) -> str:
    """The form of an export, a key of ``FORMS``: *chosen*, or what the name says; UsageError
    if there is none by that name."""
    form = outputs.form_of(path, chosen)
    if form not in FORMS:
        raise UsageError(f"{path}: an export ends in one of {', '.join(FORMS)}")
    return form


def write(digests: Sequence[Digest], path: Path, series: str, form: str | None = None) -> None:
    """Write *digests* in a form, that which the name asks for if none is given, whole or not
    at all; each has a name of its own in it.  IncomparableError if there is nothing in one
    that counts."""
    form = form or form_of(path)
    for digest in digests:
        digest.require_runs()
    outputs.deliver(path, FORMS[form](told_apart(digests), series))
