"""The nesting of locks in a good kernel, which a check can be held against."""

from collections import Counter
from pathlib import Path

import msgspec

from z3trace.analysis.checks.findings import Nested, Places, Report
from z3trace.analysis.checks.order import nested
from z3trace.data import checkfile, runfile
from z3trace.data.runfile import part_name
from z3trace.errors import InputError


def nesting_of(path: Path) -> list[Nested]:
    """The nesting of a reference: a check's ``.json`` or ``.z3c``, or a recording."""
    if path.suffix == ".json":
        try:
            return msgspec.json.decode(path.read_bytes(), type=Report).order
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(f"{path} is not the report of a check: {error}") from error
    if path.suffix == ".z3c" or part_name(path).suffix == ".z3c":
        check = checkfile.read(path)
        edges = check.progress.edges if check.progress else []
        return nested(edges, Places(check.header.sites))
    counts: Counter[tuple[str, str]] = Counter()
    for run in runfile.read(path).runs:
        for pair in run.nesting:
            counts[pair.held, pair.acquired] += pair.count
    return [Nested(held=held, acquired=acquired, count=n) for (held, acquired), n in counts.items()]
