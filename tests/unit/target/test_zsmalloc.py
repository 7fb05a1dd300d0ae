"""The target zsmalloc on the kernels that it is for: operations and lock classes of each.

Functions and structures are those of the kernels' own sources, offsets made up.
"""

from dataclasses import replace
from pathlib import Path

import fakes
import pytest
from msgspec import structs

from z3trace.bpf import layout
from z3trace.code.callsites import Site
from z3trace.code.lockfunctions import LOCK_FUNCTIONS
from z3trace.errors import CannotTraceError, InputError
from z3trace.probing import arming, siteclasses
from z3trace.probing.choice import Choice, Costs
from z3trace.target import definition, plan
from z3trace.target.definition import LockRule
from z3trace.target.plan import Plan

OLD = ["zs_malloc", "zs_free", "zs_map_object", "zs_unmap_object", "zs_compact"]
NEW = [
    *("zs_malloc", "zs_free", "zs_obj_read_begin", "zs_obj_read_end", "zs_obj_write"),
    *("zs_obj_read_sg_begin", "zs_obj_read_sg_end", "zs_compact"),
]
OBJECT = {"pool": 40, "list": 24}
KERNELS = {
    "6.1": (OLD, {"size_class": {"size": 0}, "zs_pool": {"lock": 8}, "zspage": {"lock": 48}}),
    "6.12": (
        OLD,
        {
            "size_class": {"lock": 0},
            "zs_pool": {"migrate_lock": 8},
            "zspage": {**OBJECT, "lock": 48},
        },
    ),
    "7.2": (
        NEW,
        {
            "size_class": {"lock": 0},
            "zs_pool": {"lock": 8},
            "zspage": {**OBJECT, "zsl": 48},
            "zspage_lock": {"lock": 0},
        },
    ),
}
MEMBERS = {
    "6.1": {"size-class": ["zs_pool.lock"], "migration": [], "zspage": ["zspage.lock"]},
    "6.12": {
        "size-class": ["size_class.lock"],
        "migration": ["zs_pool.migrate_lock"],
        "zspage": ["zspage.lock"],
    },
    "7.2": {
        "size-class": ["size_class.lock"],
        "migration": ["zs_pool.lock"],
        "zspage": ["zspage.zsl", "zspage_lock.lock"],
    },
}


class Code(fakes.Code):
    structures: dict[str, dict[str, int]]

    def members(self, structure: str) -> dict[str, int]:
        return self.structures.get(structure, {})


def _plan(release: str, **more: dict[str, int]) -> Plan:
    functions, structures = KERNELS[release]
    code = Code(functions={name: (".text", 64 * n) for n, name in enumerate(functions)})
    code.sites = [
        Site(n, ".text", n, n + 5, "zs_malloc", n, LOCK_FUNCTIONS[name], tail=False)
        for n, name in enumerate(("_raw_spin_lock", "_raw_read_lock"))
    ]
    code.structures = {name: {**structures[name], **more.get(name, {})} for name in structures}
    return plan.plan_of(definition.load("zsmalloc"), code, builtin=True)


@pytest.mark.parametrize("release", KERNELS)
def test_every_kernel_has_its_own_operations_and_the_others_are_said(release: str) -> None:
    made = _plan(release)
    assert [op.function for op in made.operations] == KERNELS[release][0]
    assert [op.number for op in made.operations] == list(range(len(made.operations)))
    gone = {"6.1": "read-begin", "6.12": "write", "7.2": "map"}[release]
    assert "is there" in made.missing[gone]
    assert made.missing.keys() | set(made.operation_names()) == made.target.operations.keys()


@pytest.mark.parametrize("release", KERNELS)
def test_each_lock_class_has_the_member_that_it_is_in_this_kernel(release: str) -> None:
    made = _plan(release)
    assert {lock.name: lock.members for lock in made.locks} == {"other": [], **MEMBERS[release]}
    exact = [rule.kind in (layout.RULE_POOL, layout.RULE_OBJECT) for rule in made.rules]
    assert exact == sorted(exact, reverse=True)


def test_a_lock_of_a_chain_is_told_from_one_of_a_class_by_the_pointer_to_the_pool() -> None:
    number = ["other", "size-class", "migration", "zspage"].index
    assert _plan("7.2").rules == [
        plan.ClassRule(layout.RULE_POOL, 8, number("migration"), 0, "rw"),
        plan.ClassRule(layout.RULE_OBJECT, 48, number("zspage"), 40),
        plan.ClassRule(layout.RULE_SPINLOCK, 0, number("size-class")),
        plan.ClassRule(layout.RULE_SPINLOCK, 0, number("zspage")),
    ]


def test_the_programs_are_told_how_a_lock_leads_to_the_pool_that_it_is_of() -> None:
    """The pointer lies 8 bytes before the lock of a chain; other kernels have no such lock."""
    for release, told in (("7.2", (1, -8 % (1 << 64))), ("6.12", (0, 0))):
        programs, made = fakes.Programs(), _plan(release)
        choice = Choice()
        arming.configure(fakes.any_fake(programs), made, Costs(), choice, siteclasses.of(made))
        assert (programs.config.has_object, programs.config.pointer) == told


def test_a_target_has_one_kind_of_object_at_most() -> None:
    rule = LockRule(lock_class="page", struct="page", member="lock", where="object", pointer="lock")
    target = structs.replace(fakes.TARGET, locks=[rule, rule])
    with pytest.raises(CannotTraceError, match="more than one lock in an object"):
        fakes.plan(target=target)


def test_a_variant_with_one_lock_for_the_pool_has_the_same_class() -> None:
    made = _plan("7.2", zs_pool={"class_lock": 12})
    members = {lock.name: lock.members for lock in made.locks}
    assert members["size-class"] == ["zs_pool.class_lock"]
    # No lock is left in size classes: whatever is not in the pool is a chain's.
    others = {rule.lock_class for rule in made.rules if rule.kind == layout.RULE_SPINLOCK}
    assert [made.locks[number].name for number in others] == ["zspage"]


def test_a_run_of_one_class_must_know_the_pools_where_they_tell_the_locks_apart() -> None:
    sites = [fakes.site(0, "_raw_spin_lock"), fakes.site(1, "_raw_read_lock")]
    new = siteclasses.of(replace(_plan("7.2"), sites=sites))
    assert new.numbers("size-class") == {0}
    assert new.numbers("migration") == {1}
    assert new.need_pools("size-class")
    assert new.need_pools("zspage")
    old = siteclasses.of(replace(_plan("6.1"), sites=sites))
    assert old.certain("zspage") == {1}
    assert not old.need_pools("zspage")


def test_a_kernel_with_none_of_the_operations_is_refused_with_what_it_has() -> None:
    code = Code(functions={f"zs_{n}": (".text", n) for n in "abcdefghij"})
    code.structures = {}
    with pytest.raises(CannotTraceError) as raised:
        plan.plan_of(definition.load("zsmalloc"), code, builtin=True)
    assert "has none of the operations of zsmalloc (alloc, free, map, " in raised.value.message
    assert "\n" not in raised.value.message
    assert raised.value.hint == f"it has: {', '.join(f'zs_{n}' for n in 'abcdefgh')}, ..."


def test_more_operations_than_there_is_room_for_are_refused() -> None:
    rule = definition.OperationRule(functions=["my_alloc"])
    target = structs.replace(fakes.TARGET, operations={f"o{n}": rule for n in range(9)})
    with pytest.raises(CannotTraceError, match="my has 9 operations here, more than 8"):
        fakes.plan(target=target)


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        ('in = "object"', "pointer, the member that points to the pool"),
        ('in = "pool"\npointer = "pool"', "pointer, the member that points to the pool"),
        ('in = "pool"\nunless = "lock"', "is not a target definition"),
        ('in = "pool"\nkind = "mutex"', "is not a target definition"),
    ],
)
def test_a_lock_rule_that_makes_no_sense_is_refused(tmp_path: Path, lock: str, said: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(
        'name = "x"\nmodule = "x"\n[operations.a]\nfunctions = ["f"]\n[[locks]]\n'
        f'class = "c"\nstruct = "s"\nmember = "m"\n{lock}\n'
    )
    with pytest.raises(InputError, match=said):
        definition.load(str(path))
