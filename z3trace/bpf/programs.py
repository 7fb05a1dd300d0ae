"""Load the BPF programs, compiled now or before, and map their memory."""

import ctypes
import mmap
import os
from collections.abc import Mapping
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any

from z3trace.bpf import compiled, cpus, layout, libbpf
from z3trace.bpf.checklayout import CheckMaps
from z3trace.bpf.patching import with_constants, with_maps
from z3trace.data.buckets import BUCKETS
from z3trace.errors import CannotTraceError


def probe_source() -> Path:
    """The directory of the BPF sources, in the checkout or in the wheel."""
    return Path(str(resources.files("z3trace.probes")))


_PROGRAM_NAMES = (
    *("operation_entry", "operation_return", "operation_fentry", "operation_fexit"),
    *("operation_pool", "lock", "lock_fentry", "lock_fexit", "slow_path", "empty"),
)
_CHECK_NAMES = ("switch", "free", "tick", "condition")
_MAPS = ("cpus", "sites", "buckets", "tasks", "places", "config")
_CHECK_MAPS = ("trails", "owners", "order", "checkers", "offences", "incidents", "rulebook")

#: Programs that are neither a kprobe's nor a trampoline's.
_KINDS = {"switch": libbpf.RAW_TRACEPOINT, "tick": libbpf.PERF_PROGRAM}


class Programs:
    """The loaded programs and their maps, mapped into this process.

    Reading or clearing a map here is a memory access, never a bpf() call, so
    that it costs the traced kernel nothing and makes it skip nothing.
    """

    def __init__(
        self,
        sites: int = 512,
        places: int = 1 << 18,
        task_slots: int = layout.TASK_SLOTS,
        *,
        check: bool = False,
    ) -> None:
        """Make room for *sites* lock call sites in *places* bytes of text, and for
        *task_slots* threads: all powers of two.  *check*: judge lock discipline too."""
        self.cpus = cpus.possible()
        self.site_count, self.place_count = sites, places
        sizes = [
            *(f"-DZ3T_CPUS={self.cpus}", f"-DZ3T_SITES={sites}"),
            *(f"-DZ3T_PLACES={places}", f"-DZ3T_TASK_SLOTS={task_slots}"),
            *(["-DZ3T_CHECK"] if check else []),
        ]
        try:
            self._prepare(sizes, check=check)
        except CannotTraceError:
            raise
        except Exception as error:
            raise CannotTraceError(
                f"the BPF programs do not load: {str(error).strip() or type(error).__name__}",
                "the kernel's headers are needed (linux-headers of this very version), and root",
            ) from error
        self.places = self._map("places", layout.Place, places)
        self.config = self._map("config", layout.Config, 1)[0]
        self.per_cpu = self._map("cpus", layout.Cpu, self.cpus)
        self.sites = self._map("sites", layout.Site, sites * self.cpus)
        self.buckets = self._map("buckets", ctypes.c_uint64, layout.SERIES * BUCKETS * self.cpus)
        self.tasks = self._map("tasks", layout.Task, task_slots + self.cpus)
        self.check = CheckMaps(self._map, sites, task_slots, self.cpus) if check else None

    def _prepare(self, sizes: list[str], *, check: bool) -> None:
        source = probe_source()
        key = compiled.key(source, sizes)
        kept = compiled.kept(key)
        if kept is not None:
            with suppress(OSError, ValueError):
                self._use(kept)
                return
        from z3trace.bpf import compiler

        names = (*_PROGRAM_NAMES, *(_CHECK_NAMES if check else ()))
        maps = (*_MAPS, *(_CHECK_MAPS if check else ()))
        made = compiler.compiled(key, source, sizes, names, maps)
        self._use(made)
        compiled.keep(made)

    def _use(self, programs: compiled.Compiled) -> None:
        """Make the maps, and see whether the kernel takes the largest program."""
        fds: list[int] = []
        try:
            for shape in programs.maps:
                fds.append(libbpf.create_array(shape.name, shape.value_size, shape.entries))
            numbers = dict(enumerate(fds))
            self._code = {name: with_maps(code, numbers) for name, code in programs.code.items()}
            self._fds: dict[tuple[object, ...], int] = {}
            self.lock = self.load("lock")
        except (OSError, ValueError):
            for fd in fds:
                os.close(fd)
            raise
        self._maps = {shape.name: fd for shape, fd in zip(programs.maps, fds, strict=True)}

    def load(
        self,
        name: str,
        patches: Mapping[int, int] | None = None,
        *,
        attach: int = 0,
        where: tuple[int, int] = (0, 0),
    ) -> int:
        """The descriptor of a program with constants replaced (see state.h); kprobe
        programs are loaded once, tracing programs belong to the caller."""
        key = (name, *sorted((patches or {}).items()))
        if not attach and key in self._fds:
            return self._fds[key]
        code = with_constants(self._code[name], patches or {})
        kind = _KINDS.get(name, libbpf.TRACING if attach else libbpf.KPROBE)
        fd = libbpf.load(kind, f"z3t_{name}", code, attach=attach, where=where)
        if not attach:
            self._fds[key] = fd
        return fd

    def _map(self, name: str, block: Any, entries: int) -> Any:
        fd = self._maps[name]
        kind = block * entries
        size = -(-ctypes.sizeof(kind) // mmap.PAGESIZE) * mmap.PAGESIZE
        memory = mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        return kind.from_buffer(memory)

    def clear(self) -> None:
        """Forget all that was counted; the configuration stays, known pools go."""
        checked = self.check.blocks() if self.check else []
        for block in (self.per_cpu, self.sites, self.buckets, self.tasks, *checked):
            ctypes.memset(ctypes.addressof(block), 0, ctypes.sizeof(block))
        for number, cpu in enumerate(self.per_cpu):
            cpu.number = number
            for totals in cpu.totals:
                totals.min = (1 << 64) - 1
        for i in range(layout.POOLS):
            self.config.pools[i] = 0
