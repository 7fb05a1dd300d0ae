"""The workload ``zram``: real block I/O on a compressed RAM disk, which zsmalloc holds.

A program writes pages past the page cache, reads them back, checks every byte and discards
some.  The disk is made for a run and is gone after it.
"""

import re
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from z3trace import tools
from z3trace.data.model import WorkloadResult
from z3trace.errors import CannotTraceError
from z3trace.workloads import modules
from z3trace.workloads.program import Program

_CONTROL = Path("/sys/class/zram-control")
_DEVICES = Path("/sys/block")
#: The numbers of mm_stat that are kept, in the kernel's order.
_STATISTICS = ("orig_data_size", "compr_data_size", "mem_used_total")
_SAID = re.compile(r"written (\d+) read (\d+) discarded (\d+)")
_PAGES_PER_MB = 256


class Zram(Program):
    """Parameters: ``mb`` of the disk, ``threads``, ``passes`` over it; ``discard``: per cent
    of the pages that each pass gives up; ``compact``: 1 to compact in each pass."""

    NAME = "zram"
    BUILT = "zram_io"
    DEFAULTS: ClassVar[dict[str, str]] = {
        "mb": "32",
        "threads": "2",
        "passes": "2",
        "discard": "25",
        "compact": "1",
    }
    BOUNDS: ClassVar[dict[str, tuple[int, int]]] = {
        "mb": (1, 1024),
        "threads": (1, 64),
        "passes": (1, 1000),
        "discard": (0, 100),
        "compact": (0, 1),
    }
    _number = ""

    @property
    def _device(self) -> Path:
        return _DEVICES / f"zram{self._number}"

    def make_ready(self) -> None:
        if not _CONTROL.exists():
            tools.run(["modprobe", "zram", "num_devices=0"], doing="loading zram")
        try:
            self._number = (_CONTROL / "hot_add").read_text().strip()
            (self._device / "disksize").write_text(f"{self.parameters['mb']}M")
        except OSError as error:
            raise CannotTraceError(f"cannot make a zram disk: {error.strerror}") from error

    def run(self) -> WorkloadResult:
        arguments = [
            f"/dev/zram{self._number}",
            str(int(self.parameters["mb"]) * _PAGES_PER_MB),
            *(self.parameters[name] for name in ("threads", "passes", "discard")),
            str(self._seed),
        ]
        if self.parameters["compact"] == "1":
            arguments.append(str(self._device / "compact"))
        return self.execute(arguments)

    def facts(self, said: str) -> dict[str, int]:
        facts = {}
        if match := _SAID.search(said):
            names = ("pages_written", "pages_read", "pages_discarded")
            facts = dict(zip(names, map(int, match.groups()), strict=True))
        with suppress(OSError, ValueError):
            numbers = (self._device / "mm_stat").read_text().split()
            facts |= {f"zram_{n}": int(v) for n, v in zip(_STATISTICS, numbers, strict=False)}
        return facts

    def finish(self) -> None:
        """Without the disk nothing keeps the target's module loaded."""
        if self._number:
            with suppress(OSError):
                (self._device / "reset").write_text("1")
            with suppress(OSError):
                (_CONTROL / "hot_remove").write_text(self._number)
            self._number = ""
        with suppress(Exception):
            modules.remove("zram")
