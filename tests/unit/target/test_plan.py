"""A target resolved against code that the test makes up."""

import time

import pytest
from planned import Code

from z3trace.bpf import layout
from z3trace.code.callsites import Site
from z3trace.code.lockfunctions import LOCK_FUNCTIONS
from z3trace.errors import CannotTraceError, UsageError
from z3trace.target import definition, plan
from z3trace.target.definition import Condition, LockRule, OperationRule, Target

TARGET = Target(
    name="my",
    module="mine",
    operations={
        "alloc": OperationRule(functions=["my_alloc"], fails="nonzero"),
        "map": OperationRule(functions=["my_map"], optional=True),
        "free": OperationRule(functions=["my_free"], arguments=["page", "pool"]),
    },
    locks=[LockRule(lock_class="pool", struct="pool", member="lock", where="pool")],
    conditions=[Condition(name="empty", functions=["f"], struct="lists", member="head")],
)


def _site(number: int, offset: int) -> Site:
    where = (".text", offset, offset + 5, "my_alloc", offset)
    return Site(number, *where, LOCK_FUNCTIONS["_raw_spin_lock"], tail=False)


def test_operations_have_their_symbols_numbers_and_arguments() -> None:
    made = plan.plan_of(TARGET, Code(), builtin=True)
    alloc, free = made.operations
    assert (alloc.number, alloc.function, alloc.symbol) == (0, "my_alloc", "my_alloc.isra.0")
    assert (alloc.section, alloc.offset) == (".text", 64)
    assert (alloc.result_rule, alloc.pool) == (layout.FAILS_NONZERO, 0)
    # Numbers have no gaps, whatever is missing.
    assert (free.number, free.symbol, free.pool) == (1, "my_free", 1)
    assert made.operation_names() == ["alloc", "free"]
    assert "none of my_map is there" in made.missing["map"]


def test_an_operation_that_must_be_there_is_said() -> None:
    with pytest.raises(CannotTraceError, match=r"operation free of my: none of my_free"):
        plan.plan_of(TARGET, Code(functions={"my_alloc": (".text", 0)}), builtin=True)


def test_a_lock_that_must_be_there_is_said() -> None:
    with pytest.raises(CannotTraceError, match="no struct pool with member lock"):
        plan.plan_of(TARGET, Code(structures={"pool": {"other": 0}}), builtin=True)


def test_lock_classes_begin_with_what_no_rule_knows() -> None:
    made = plan.plan_of(TARGET, Code(), builtin=True)
    assert [(lock.name, lock.members) for lock in made.locks] == [
        *(("other", []), ("pool", ["pool.lock"]))
    ]
    assert made.rules == [plan.ClassRule(layout.RULE_POOL, 8, 1)]


def test_only_the_named_operations_stay() -> None:
    made = plan.plan_of(TARGET, Code(), builtin=True)
    assert [op.name for op in made.only(["free"]).operations] == ["free"]
    assert made.only(["free"]).missing == {}
    assert set(made.only(["map"]).missing) == {"map"}
    assert made.only([]) is made
    with pytest.raises(UsageError, match="my has no operation none"):
        made.only(["free", "none"])


def test_a_built_in_target_is_at_its_addresses_and_has_no_identity() -> None:
    made = plan.plan_of(TARGET, Code(), builtin=True)
    assert made.address()("kernel", 0x1234) == 0x1234
    assert made.identity() == ("", "")


def test_too_many_sites_are_refused() -> None:
    sites = [_site(n, n * 8) for n in range(layout.MOST_SITES + 1)]
    with pytest.raises(CannotTraceError, match="8193 lock call sites"):
        plan.plan_of(TARGET, Code(sites=sites), builtin=True)


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        ([], (layout.SITES, layout.PLACES)),
        ([0], (layout.SITES, layout.PLACES)),
        ([n * 8 for n in range(513)], (1024, layout.PLACES)),
        ([0, layout.PLACES], (layout.SITES, 2 * layout.PLACES)),
    ],
)
def test_programs_have_room_for_all_sites_in_powers_of_two(
    offsets: list[int], expected: tuple[int, int]
) -> None:
    code = Code(sites=[_site(n, at) for n, at in enumerate(offsets)])
    assert plan.room(code) == expected


def test_structures_of_locks_and_conditions_are_looked_up() -> None:
    assert TARGET.structures() == ["pool", "lists"]


def test_an_exact_name_beats_an_earlier_clone() -> None:
    functions = {"f.constprop.0": (".text", 0), "g": (".text", 8)}
    assert plan.resolve_symbol(["f", "g"], functions) == ("g", ["g"])


def test_a_clone_is_found_but_never_the_cold_part() -> None:
    functions = {"f.cold": (".text", 0), "f.isra.0": (".text", 8)}
    assert plan.resolve_symbol(["f"], functions) == ("f", ["f.isra.0"])


def test_clones_that_are_called_in_its_place_count_with_it() -> None:
    """The part that was split off is called by the rest."""
    functions = ["f", "f.cold", "f.constprop.0", "f.isra.0", "f.part.0", "f_more"]
    assert plan.resolve_symbol(["f"], functions) == ("f", ["f", "f.constprop.0", "f.isra.0"])
    assert plan.resolve_symbol(["f"], functions[4:]) == ("f", ["f.part.0"])


def test_every_function_of_a_name_is_the_operation() -> None:
    functions = {"my_alloc.isra.0": (".text", 64), "my_free": (".text", 128)}
    functions["my_alloc.constprop.0"] = (".text", 8)
    made = plan.plan_of(
        TARGET, Code(functions=functions, further={"my_free": (".text.hot", 32)}), builtin=True
    )
    alloc, free = made.operations
    assert alloc.starts == [(".text", 8), (".text", 64)]
    assert alloc.symbols == "my_alloc.constprop.0, my_alloc.isra.0"
    assert free.starts == [(".text", 128), (".text.hot", 32)]
    assert free.symbols == "my_free (2 functions)"
    gone, _, said = plan.remarks(made)
    assert gone == "this kernel has no map"
    assert "operation free: mine has my_free (2 functions), and all count as it" in said
    assert plan.remarks(plan.plan_of(TARGET, Code(), builtin=True)) == [gone]


def test_a_missing_symbol_names_the_nearest() -> None:
    with pytest.raises(LookupError, match="nearest: z3fold_zpool_malloc"):
        plan.resolve_symbol(["z3fold_zpool_mallok"], {"z3fold_zpool_malloc": (".text", 0)})


def test_many_symbols_take_no_time_to_compare() -> None:
    functions = {"z3fold_zpool_malloc": (".text", 0)}
    functions |= {f"z3fold_zpool_malloc{n:0480d}": (".text", n) for n in range(10)}
    functions |= {f"zollam_loopz_f3dlzok{n}": (".text", n) for n in range(150_000)}
    start = time.process_time()
    with pytest.raises(LookupError, match="nearest: z3fold_zpool_malloc"):
        plan.resolve_symbol(["z3fold_zpool_mallok"], functions)
    # Without an end to it, three seconds for every operation.
    assert time.process_time() - start < 1


def test_lock_rules_follow_the_lock_into_the_pool() -> None:
    z3fold = definition.load("z3fold")
    page = {"z3fold_header": {"page_lock": 16}, "z3fold_pool": {"lock": 8, "stale_lock": 12}}
    rules, locks = plan.lock_rules(z3fold, page)
    assert [r.offset for r in rules] == [8, 12, 16, 0]  # exact addresses first
    pool = {**page, "z3fold_pool": {"lock": 8, "stale_lock": 12, "page_lock": 16}}
    _, moved = plan.lock_rules(z3fold, pool)
    assert {lock.name: lock.members for lock in moved}["page"] == ["z3fold_pool.page_lock"]
    assert {lock.name: lock.members for lock in locks}["page"] == ["z3fold_header.page_lock"]


def test_a_class_of_all_locks_of_a_kind_needs_such_a_lock() -> None:
    """A z3fold from before its slots had a lock has none of that class to show."""
    z3fold = definition.load("z3fold")
    known = {"z3fold_header": {"page_lock": 16}, "z3fold_pool": {"lock": 8, "stale_lock": 12}}
    for kinds, members in ((("spin",), []), (("spin", "read"), ["z3fold_buddy_slots.lock"])):
        rules, locks = plan.lock_rules(z3fold, known, kinds)
        assert {lock.name: lock.members for lock in locks}["slots"] == members
        assert ("slots" in plan.absent(locks)) == (not members)
        assert len(rules) == 4, "a lock of the kind is of the class all the same"
