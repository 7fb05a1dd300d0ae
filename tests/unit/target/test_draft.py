"""A target definition drafted from a module's call sites and types."""

import tomllib
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from z3trace.bpf.btf import LockMember
from z3trace.code.callsites import Site
from z3trace.code.lockfunctions import LOCK_FUNCTIONS
from z3trace.code.module import ModuleFile
from z3trace.errors import CannotTraceError
from z3trace.target import definition, draft


class File(ModuleFile):
    """A module whose functions take locks as often as the test says."""

    def __init__(self, calls: dict[str, int], name: str = "my-mod.ko") -> None:
        super().__init__(Path(name))
        taken = [function for function, count in calls.items() for _ in range(count)]
        self.__dict__["ambiguous"] = set()
        self.__dict__["modinfo"] = {}
        self.__dict__["functions"] = dict.fromkeys(calls, (".text", 0))
        self.__dict__["sites"] = [
            Site(n, ".text", n * 8, n * 8 + 5, function, 0, LOCK_FUNCTIONS["_raw_spin_lock"], False)
            for n, function in enumerate(taken)
        ]


class Types:
    """Stands for the BTF of a kernel and a module."""

    def __init__(self, first: dict[str, str], locks: Sequence[LockMember] = ()) -> None:
        self._first, self._locks, self.closed = first, list(locks), False

    def function(self, name: str) -> int | None:
        return 1 if name in self._first else None

    def arguments(self, name: str) -> int | None:
        return 1 if name in self._first else None

    def first_argument(self, name: str) -> str:
        return self._first.get(name, "")

    def lock_members(self) -> list[LockMember]:
        return self._locks

    def close(self) -> None:
        self.closed = True


CALLS = {"a_free": 2, "b_alloc": 5, "gone": 9, "b_alloc.cold": 7, "twice": 4, "work": 1}
LOCKS = [
    LockMember("pool", "lock", "spinlock"),
    LockMember("slots", "lock", "rwlock"),
    LockMember("page", "lock", "spinlock"),
]


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Types:
    known = Types({"a_free": "pool", "b_alloc": "pool", "twice": "pool", "work": "item"}, LOCKS)
    monkeypatch.setattr(draft, "KernelTypes", lambda _: known)
    return known


def _file(calls: dict[str, int] = CALLS) -> File:
    file = File(calls)
    file.ambiguous = {"twice"}
    return file


def test_candidates_are_functions_that_a_probe_can_name(types: Types) -> None:
    """Not parts of functions, not those without types, not two of one name."""
    found = draft.candidates(_file(), types)  # type: ignore[arg-type]
    assert [(one.function, one.sites) for one in found] == [
        *(("b_alloc", 5), ("a_free", 2), ("work", 1))
    ]


def test_a_draft_is_a_definition(types: Types) -> None:
    text = draft.draft(_file())
    target = msgspec.convert(tomllib.loads(text), definition.Target)
    assert (target.name, target.module) == ("my-mod", "my_mod")
    assert list(target.operations) == ["b-alloc", "a-free", "work"]
    assert target.operations["b-alloc"].pool_argument() == 0
    # What it gets first is not the structure that has the locks.
    assert target.operations["work"].arguments == []
    assert types.closed


def test_locks_are_classes_where_an_address_can_tell_them(types: Types) -> None:
    target = msgspec.convert(tomllib.loads(draft.draft(_file())), definition.Target)
    rules = [(rule.lock_class, rule.where) for rule in target.locks]
    assert rules == [("pool-lock", "pool"), ("slots-lock", "rwlock")]
    # The other is written down, to be completed.
    assert '# struct = "page"' in draft.draft(_file())


def test_a_lock_is_told_by_its_offset_where_no_other_has_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    locks = [
        LockMember("pool", "lock", "spinlock", 8),
        LockMember("device", "lock", "spinlock", 40),
    ]
    locks += [LockMember("a", "lock", "spinlock", 16), LockMember("b", "lock", "spinlock", 16)]
    monkeypatch.setattr(draft, "KernelTypes", lambda _: Types({"a_free": "pool"}, locks))
    target = msgspec.convert(tomllib.loads(draft.draft(_file())), definition.Target)
    rules = [(rule.lock_class, rule.where) for rule in target.locks]
    assert rules == [("pool-lock", "pool"), ("device-lock", "site")]


@pytest.mark.usefixtures("types")
def test_a_ninth_operation_is_proposed_only(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"f{n}" for n in range(9)]
    monkeypatch.setattr(draft, "KernelTypes", lambda _: Types(dict.fromkeys(names, "")))
    text = draft.draft(File({name: 9 - n for n, name in enumerate(names)}))
    target = msgspec.convert(tomllib.loads(text), definition.Target)
    assert len(target.operations) == 8
    assert "# [operations.f8]" in text


def test_a_name_that_begins_with_a_digit_is_made_one_of_a_target(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(draft, "KernelTypes", lambda _: Types({"p9_read": ""}))
    target = msgspec.convert(
        tomllib.loads(draft.draft(File({"p9_read": 1}, "9pnet.ko"))), definition.Target
    )
    assert (target.name, target.module) == ("m9pnet", "9pnet")


@pytest.mark.usefixtures("types")
def test_nothing_to_draft_from_is_said() -> None:
    with pytest.raises(CannotTraceError, match="9 lock call sites"):
        draft.draft(_file({"gone": 9}))


def test_a_module_that_is_not_loaded_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> Types:
        raise OSError(2, "module my_mod has no BTF")

    monkeypatch.setattr(draft, "KernelTypes", missing)
    with pytest.raises(CannotTraceError, match="has no BTF") as raised:
        draft.draft(_file())
    assert "must be loaded" in raised.value.hint


def test_what_took_most_time_becomes_an_operation_and_not_what_has_most_calls(
    types: Types,
) -> None:
    """A function without a lock of its own may be the operation in which they are taken."""
    types._first["entry"] = "pool"
    file = _file(CALLS | {"entry": 0})
    assert draft.functions(file) == ["b_alloc", "a_free", "work", "entry"]
    used = {"b_alloc": (0, 0), "a_free": (5, 100), "work": (1, 3_000_000), "entry": (7, 2_000_000)}
    text = draft.draft(file, used)
    target = msgspec.convert(tomllib.loads(text), definition.Target)
    assert list(target.operations) == ["work", "entry", "a-free"]
    assert "[operations.work]  # 1 call, 3.0 ms in all; 1 lock call site" in text
    assert "# [operations.b-alloc]  # never called" in text
    with pytest.raises(CannotTraceError, match="called none of the"):
        draft.draft(file, dict.fromkeys(used, (0, 0)))


@pytest.mark.usefixtures("types")
def test_names_that_are_too_long_stay_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{'a_long_name_of_a_function_' * 2}{n}" for n in range(3)] + ["__x", "x", "_9"]
    monkeypatch.setattr(draft, "KernelTypes", lambda _: Types(dict.fromkeys(names, "")))
    target = msgspec.convert(
        tomllib.loads(draft.draft(File(dict.fromkeys(names, 1)))), definition.Target
    )
    assert sorted(rule.functions[0] for rule in target.operations.values()) == sorted(names)
