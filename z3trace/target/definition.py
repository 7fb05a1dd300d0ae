"""Load and validate a target definition: operations, lock classes, modules.

Shipped in ``probes/targets``; ``--target FILE.toml`` takes a user's own.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field, structs

from z3trace import paths
from z3trace.bpf import layout
from z3trace.bpf.programs import probe_source
from z3trace.data import beside
from z3trace.errors import InputError, UsageError

_Identifier = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_.]{0,127}\Z")]
_Member = Annotated[str, Meta(pattern=r"^[A-Za-z_]\w{0,63}[.][A-Za-z_]\w{0,63}\Z")]
_Beginning = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_.]{2,63}[*]?\Z")]
_Module = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_]{0,55}\Z")]
_Variant = Annotated[str, Meta(pattern=r"^[a-z0-9-]{0,64}\Z")]
_Workload = Annotated[str, Meta(pattern=r"^[a-z0-9-]{0,32}(:[a-z0-9_=,]{0,400})?\Z")]
_Word = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}\Z")]


class OperationRule(Struct, frozen=True, forbid_unknown_fields=True):
    """An operation: functions in order of preference, and which result is a failure."""

    functions: Annotated[list[_Identifier], Meta(min_length=1, max_length=16)]
    fails: Literal["", "nonzero", "zero", "error"] = ""
    optional: bool = False
    #: Lock classes that the caller holds when the operation has succeeded, by contract.
    holds: Annotated[list[_Word], Meta(max_length=8)] = []
    #: What the function gets, in order; the programs read the one that is "pool".
    arguments: Annotated[list[_Word], Meta(max_length=layout.NO_ARGUMENT)] = field(
        default_factory=lambda: ["pool"]
    )

    def pool_argument(self) -> int:
        """The number of the argument that is the pool, from 0; NO_ARGUMENT if none is."""
        return self.arguments.index("pool") if "pool" in self.arguments else layout.NO_ARGUMENT

    def result_rule(self) -> int:
        return {
            "": layout.NO_RESULT,
            "nonzero": layout.FAILS_NONZERO,
            "zero": layout.FAILS_ZERO,
            "error": layout.FAILS_ERROR,
        }[self.fails]


class LockRule(Struct, frozen=True, forbid_unknown_fields=True, rename={"lock_class": "class"}):
    """Where the locks of a class lie.

    In a "site": nowhere that an operation is handed.  A call site is of the class if the
    instructions before it add the member's offset to a pointer, and no other member of the
    target's lock classes has that offset.
    """

    lock_class: _Word
    struct: _Identifier
    member: _Identifier
    where: Literal["pool", "object", "page", "rwlock", "spinlock", "site"] = field(name="in")
    optional: bool = False
    #: What of the kernel's lock it is; empty: of either kind.
    kind: Literal["", "spin", "rw"] = ""
    #: Of an "object": its member that points to the pool.
    pointer: _Identifier | None = None
    #: A member, ``structure.member``, of kernels where the rule does not hold.
    unless: _Member | None = None


class Condition(Struct, frozen=True, forbid_unknown_fields=True):
    """Something that a workload should have met for a check to mean much.

    *test*: the function was called; argument number *argument*, or *struct*.*member* in what
    it points to, has a bit of *value*; the list head *struct*.*member* that the argument
    points into is empty; or the function returned zero, or did not.  *needs*: a structure of
    the target, or a member of one (``pool.lru``), that a version must have for the test to
    mean what *name* says.
    """

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_ .,'-]{1,60}\Z")]
    functions: Annotated[list[_Identifier], Meta(min_length=1, max_length=16)]
    test: Literal["called", "has-bits", "list-empty", "nonzero", "zero"] = "called"
    argument: Annotated[int, Meta(ge=0, lt=layout.NO_ARGUMENT)] = 0
    value: Annotated[int, Meta(ge=0, lt=1 << 31)] = 0
    struct: _Identifier | None = None
    member: _Identifier | None = None
    needs: _Identifier | None = None

    @property
    def on_return(self) -> bool:
        return self.test in ("nonzero", "zero")


class Defaults(Struct, frozen=True, forbid_unknown_fields=True):
    """What is compared and checked if nothing else is asked for: variants, workloads."""

    before: _Variant = ""
    after: _Variant = ""
    #: Of ``ab``, and of ``check`` in a guest.
    compare: _Workload = ""
    check: _Workload = ""
    #: What a patch is put on, by ``ab`` and by ``check``.
    patched: _Variant = "stock"
    base: _Variant = "stock"


class Target(Struct, frozen=True, forbid_unknown_fields=True):
    """An allocator module: its operations and its lock classes."""

    name: _Word
    module: _Module
    operations: Annotated[dict[_Word, OperationRule], Meta(min_length=1, max_length=16)]
    locks: Annotated[list[LockRule], Meta(max_length=16)] = []
    #: What a check counts, so that its silence is not taken for health.
    conditions: Annotated[list[Condition], Meta(max_length=16)] = []
    #: Functions that give a page, their first argument, back to the kernel.
    frees: Annotated[list[_Identifier], Meta(max_length=4)] = []
    #: The target's functions, where the module is built in: names, or beginnings with a *.
    builtin: Annotated[list[_Beginning], Meta(max_length=32)] = []
    source: Annotated[str, Meta(pattern=r"^[a-z0-9_/]+\.c\Z")] = ""
    defaults: Defaults = Defaults()

    def of_file(self, path: Path | None) -> "Target":
        """This target as the module in the file *path* has it: the copy of built-in code has
        another name."""
        name = path.name.split(".ko")[0] if path else ""
        if not beside.is_copy(name, self.module):
            return self
        return structs.replace(self, module=name, builtin=[])

    def classes(self) -> list[str]:
        """Lock class names; number 0 is ``other``, for addresses no rule knows."""
        return ["other", *dict.fromkeys(rule.lock_class for rule in self.locks)]

    def structures(self) -> list[str]:
        """The kernel structures that lock classes and conditions have members of."""
        named = [rule.struct for rule in self.locks]
        named += [rule.unless.partition(".")[0] for rule in self.locks if rule.unless]
        named += [condition.struct for condition in self.conditions if condition.struct]
        named += [each.needs.partition(".")[0] for each in self.conditions if each.needs]
        return list(dict.fromkeys(named))


def shipped() -> list[str]:
    return sorted(path.stem for path in (probe_source() / "targets").glob("*.toml"))


def load(name: str) -> Target:
    """The shipped target *name*, or the one in a ``.toml`` file, which may be a stranger's.

    UsageError if there is no such target, InputError if a file is no definition.
    """
    own = name.endswith(".toml")
    path = Path(name) if own else probe_source() / "targets" / f"{name}.toml"
    if not (os.path.lexists(path) if own else name in shipped()):
        raise UsageError(
            f"there is no target {name!r}",
            f"shipped: {', '.join(shipped())}; or give a .toml file",
        )
    data = paths.read_toml(path, "a target definition")
    try:
        target = msgspec.convert(data, Target)
    except (msgspec.ValidationError, RecursionError, OverflowError) as error:
        said = paths.one_line(error)
        raise InputError(f"{path} is not a target definition: {said}") from error
    if len(target.classes()) > layout.CLASSES:
        raise InputError(f"{path}: at most {layout.CLASSES - 1} lock classes")
    if len({rule.lock_class for rule in target.locks} & {"other"}):
        raise InputError(f"{path}: the lock class 'other' is for what no rule knows")
    held = {name for rule in target.operations.values() for name in rule.holds}
    if held - set(target.classes()):
        raise InputError(f"{path}: holds names no lock class: {', '.join(sorted(held))}")
    for rule in target.locks:
        if (rule.where == "object") != bool(rule.pointer):
            raise InputError(
                f"{path}: lock class {rule.lock_class}: pointer, the member that points to the "
                'pool, belongs to in = "object"'
            )
    for condition in target.conditions:
        _must_look_at_something(path, condition)
    return target


def _must_look_at_something(path: Path, condition: Condition) -> None:
    if bool(condition.struct) != bool(condition.member):
        raise InputError(f"{path}: {condition.name!r} needs struct and member, or neither")
    if condition.member and condition.test not in ("list-empty", "has-bits"):
        raise InputError(f"{path}: {condition.name!r} looks at no member: {condition.test}")
    if condition.test == "list-empty" and not condition.member:
        raise InputError(f"{path}: {condition.name!r} needs the struct and member of the list")
