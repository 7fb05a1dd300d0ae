"""Code that a target is planned against, made up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from z3trace.bpf import layout
from z3trace.code.callsites import Probe, Site, Start
from z3trace.code.dwarf import Place
from z3trace.code.function import Function
from z3trace.target.definition import Target


@dataclass
class Code:
    """The code of a target, as a module's file would show it."""

    functions: Mapping[str, tuple[str, int]] = field(
        default_factory=lambda: {"my_alloc.isra.0": (".text", 64), "my_free": (".text", 128)}
    )
    sites: Sequence[Site] = ()
    structures: Mapping[str, Mapping[str, int]] = field(
        default_factory=lambda: {"pool": {"lock": 8}, "lists": {"head": 0}}
    )
    label: str = "mine.ko"
    prefix: str = "mine:"
    ambiguous: set[str] = field(default_factory=set)
    probes: Sequence[Probe] = ()
    fewer_probes: Sequence[Probe] = ()
    decoded: Mapping[Start, Function] = field(default_factory=dict)
    further: Mapping[str, Start] = field(default_factory=dict)
    variant: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, target: Target) -> "Code":
        """Code in which all that a definition names is there; of its operations, no more
        than a recording has room for, as no kernel has all alternatives."""
        rules = list(target.operations.values())[: layout.OPERATIONS]
        names = [name for rule in rules for name in rule.functions]
        structures: dict[str, dict[str, int]] = {}
        for lock in target.locks:
            structures.setdefault(lock.struct, {})[lock.member] = 8
        return cls({name: (".text", 64 * i) for i, name in enumerate(names)}, (), structures)

    def starts(self, name: str) -> list[Start]:
        return [places[name] for places in (self.functions, self.further) if name in places]

    def source(self, site: Site) -> Place:
        return Place("", 0, ())

    def members(self, structure: str) -> Mapping[str, int]:
        return self.structures.get(structure, {})
