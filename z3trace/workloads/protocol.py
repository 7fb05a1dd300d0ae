"""What a workload is: prepared, run, finished; a recording spans the run alone."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from z3trace.data.model import WorkloadResult
from z3trace.errors import UsageError


class Workload(Protocol):
    """One execution is prepare, run, finish; *description* goes into the recording.

    A *fast* run has few probes or none.  *clocks*: it can time its own operations, and
    does in a *clocked* run; *own_lock*: it can take a lock of its own around nothing, which
    is in *module_file*, a kernel module.
    """

    description: str
    command: list[str]
    open_ended: bool  # an interrupt is its natural end

    @property
    def clocks(self) -> bool: ...
    @property
    def own_lock(self) -> bool: ...
    @property
    def module_file(self) -> Path | None: ...
    def prepare(
        self, seed: int, *, fast: bool, clocked: bool = False, own_lock: bool = False
    ) -> None: ...
    def run(self) -> WorkloadResult: ...
    def finish(self) -> None: ...


def parse_parameters(workload: str, text: str, known: Collection[str]) -> dict[str, str]:
    """``a=1,b=2`` as a dictionary: numbers, or for ``type`` a word.

    UsageError for a name that is not *known* or a value that is neither.
    """
    parameters: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        key, _, value = part.partition("=")
        if key not in known:
            raise UsageError(f"{workload} has no parameter {key!r}", f"it has: {', '.join(known)}")
        pattern = r"[a-z0-9]{1,31}" if key == "type" else r"[0-9]{1,10}"
        if not re.fullmatch(pattern, value):
            raise UsageError(f"{workload}: {key}={value!r} is not valid")
        parameters[key] = value
    return parameters
