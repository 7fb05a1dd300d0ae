"""A recording that was made over several boots of one kernel.

More varies between boots than between the runs of one: where the kernel lies in memory, what
was where when it came up.  If two kernels are compared, a boot has one side only, so that the
boot is the unit, and each of its figures is the median of its runs.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from z3trace.analysis.figures.histogram import Floats
from z3trace.data.model import Session
from z3trace.errors import IncomparableError

Numbers = npt.NDArray[np.int64]


def medians(boots: Numbers, values: Floats) -> tuple[Numbers, Floats]:
    """(where each boot first occurs in *boots*, the median of its rows of *values*), in the
    order of boots; *boots* has a number for each row."""
    numbers, first = np.unique(boots, return_index=True)
    rows = [np.median(values[boots == number], axis=0) for number in numbers]
    return first.astype(np.int64), np.array(rows).reshape(len(numbers), *values.shape[1:])


def must_be_one(path: str, first: Session, other: Session) -> None:
    """IncomparableError if two sessions are not boots of one kernel under one recording."""
    for what, ours, theirs in _alike(first, other):
        if ours != theirs:
            raise IncomparableError(
                f"{path} is no boot of the same side: its {what} differs from that of the first"
            )


def _alike(first: Session, other: Session) -> Iterator[tuple[str, object, object]]:
    yield "kernel", _kernel(first), _kernel(other)
    yield "target", first.target, other.target
    yield "workload", first.workload, other.workload
    yield "lock mode", first.lock_mode, other.lock_mode
    yield "list of operations", _operations(first), _operations(other)
    yield "list of lock call sites", _sites(first), _sites(other)


def _kernel(session: Session) -> tuple[str, str]:
    return session.environment.kernel, session.environment.kernel_version


def _operations(session: Session) -> list[tuple[str, str, str]]:
    return [(each.name, each.symbol, each.method) for each in session.operations]


def _sites(session: Session) -> list[tuple[str, int, str]]:
    return [(site.function, site.offset, site.lock_function) for site in session.sites]
