"""The running kernel's own text as the code of a target: functions, call sites, bytes.

Names and addresses come from /proc/kallsyms, instructions from /proc/kcore, which
holds the text as it runs, and member offsets from BTF.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import cache, cached_property
from pathlib import Path

from z3trace.bpf import btf
from z3trace.bpf.kcore import read_text
from z3trace.code.callsites import Probe, Site, Start, probes_of
from z3trace.code.disassembly import instructions
from z3trace.code.dwarf import Place
from z3trace.code.function import Function
from z3trace.code.lockfunctions import LOCK_FUNCTIONS, PATTERN
from z3trace.errors import CannotTraceError

_KALLSYMS = Path("/proc/kallsyms")
_SECTION = "kernel"
_SIZE_LIMIT = 1 << 16  # of one function


def _expression(name: str) -> str:
    tail = r"[\w.]*" if name.endswith("*") else ""
    return re.escape(name.removesuffix("*")) + tail


class Symbols:
    """The kernel's functions by name; modules' are left out."""

    def __init__(self, data: bytes | None = None) -> None:
        self._data = _KALLSYMS.read_bytes() if data is None else data

    def matching(self, pattern: str) -> dict[str, tuple[int, int]]:
        """Name -> (address, end) of the functions whose whole name fits a regular expression;
        of several of one name, of the first."""
        return {name: (start, end) for name, start, end in reversed(self.all(pattern))}

    def all(self, pattern: str) -> list[tuple[str, int, int]]:
        """(name, address, end) of all functions whose whole name fits a regular expression."""
        # The address is looked up afterwards: a pattern that begins with a blank is tried at
        # each blank only, and there are ten megabytes.
        line = re.compile(rb" [tTwW] (%b)\n(?=([0-9a-f]+) )?" % pattern.encode())
        functions: list[tuple[str, int, int]] = []
        for match in line.finditer(self._data):
            begin = self._data.rfind(b"\n", 0, match.start()) + 1
            start = int(self._data[begin : match.start()], 16)
            end = int(match[2], 16) if match[2] else start
            if not start:
                raise CannotTraceError("/proc/kallsyms hides the addresses", "run as root")
            past = end if end > start else start + _SIZE_LIMIT
            functions.append((match[1].decode(), start, past))
        return functions

    def counts(self, names: Iterable[str]) -> dict[str, int]:
        """How many functions have each name, in kernel and modules."""
        found = Counter(re.findall(rb" [tTwW] ([^\t\n]+)", self._data))
        return {name: found[name.encode()] for name in names}


@cache
def kernel_symbols() -> Symbols:
    """Those of the running kernel, which do not change: read once.  Those of modules are as
    they were when it was read."""
    return Symbols()


@cache
def kernel_functions(pattern: str) -> Mapping[str, tuple[int, int]]:
    """``Symbols.matching`` of the running kernel."""
    return kernel_symbols().matching(pattern)


class KernelText:
    """Functions of the kernel itself as a target's code; offsets are addresses."""

    label = "the running kernel"
    prefix = ""
    variant: Mapping[str, str] = {}

    def __init__(self, names: Iterable[str], symbols: Symbols | None = None) -> None:
        """*names*: the target's functions, each a name or a beginning with a ``*``."""
        known = symbols or Symbols()
        self._all = known.all("|".join(_expression(name) for name in names))
        self._lock_functions = {
            start: LOCK_FUNCTIONS[name] for name, (start, _) in known.matching(PATTERN).items()
        }
        counted = known.counts({name for name, _, _ in self._all})
        self.ambiguous = {name for name, count in counted.items() if count > 1}

    @property
    def functions(self) -> dict[str, Start]:
        return {name: (_SECTION, start) for name, start, _ in reversed(self._all)}

    def starts(self, name: str) -> list[Start]:
        """See ``TargetCode``."""
        return [(_SECTION, start) for known, start, _ in self._all if known == name]

    @cached_property
    def decoded(self) -> dict[Start, Function]:
        """Every function of the target, decoded."""
        ranges = {str(start): (start, end) for _, start, end in self._all}
        return {
            (_SECTION, int(start)): Function(instructions(code, int(start)), ())
            for start, code in read_text(ranges).items()
        }

    @cached_property
    def sites(self) -> list[Site]:
        sites: list[Site] = []
        for name, start, end in sorted(self._all, key=lambda function: function[1]):
            function = self.decoded.get((_SECTION, start))
            for call in function.code if function else ():
                called = self._lock_functions.get(call.target or 0)
                if called and call.address < end:
                    where = (_SECTION, call.address, call.end, name, call.address - start)
                    sites.append(Site(len(sites), *where, called, tail=not call.is_call))
        return sites

    @cached_property
    def probes(self) -> list[Probe]:
        return probes_of(self.sites, self.decoded)

    @property
    def fewer_probes(self) -> list[Probe]:
        """All of them: jumps by the kernel's tables are not known here, and without the
        attempt one of them could pass for an acquisition."""
        return self.probes

    def alone(self, numbers: Collection[int], *, attempts: bool) -> list[Probe]:
        """See ``TargetCode``; attempts are seen always, as in ``fewer_probes``."""
        sites = [site for site in self.sites if site.number in numbers]
        return probes_of(sites, self.decoded, share=False)

    def members(self, structure: str) -> Mapping[str, int]:
        """Member -> offset in bytes, from the kernel's BTF."""
        return btf.members(structure)

    def source(self, site: Site) -> Place:
        return Place("", 0, ())
