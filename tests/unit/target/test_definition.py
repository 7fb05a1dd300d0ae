"""Target definitions, symbols and rules."""

from pathlib import Path

import pytest

from z3trace.bpf import layout
from z3trace.errors import InputError, UsageError
from z3trace.target import definition, plan


def test_shipped_targets_load() -> None:
    assert "z3fold" in definition.shipped()
    for name in definition.shipped():
        assert definition.load(name).name == name


def test_an_unknown_target_names_the_shipped_ones() -> None:
    with pytest.raises(UsageError, match="z3fold"):
        definition.load("nothing")


@pytest.mark.parametrize(
    "text",
    [
        "name = 3",
        'name = "x"\nmodule = "x"\n[operations]\n',
        'name = "x"\nmodule = "../x"\n[operations.a]\nfunctions = ["f"]',
        'name = "x"\nmodule = "x"\n[operations.a]\nfunctions = ["f; rm"]',
        "\x00",
    ],
)
def test_a_bad_definition_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(InputError, match="is not a target definition"):
        definition.load(str(path))


def test_an_exact_name_beats_an_earlier_clone() -> None:
    functions = {"f.constprop.0": (".text", 0), "g": (".text", 8)}
    assert plan.resolve_symbol(["f", "g"], functions) == ("g", "g")


def test_a_clone_is_found_but_never_the_cold_part() -> None:
    functions = {"f.cold": (".text", 0), "f.isra.0": (".text", 8)}
    assert plan.resolve_symbol(["f"], functions) == ("f", "f.isra.0")


def test_a_missing_symbol_names_the_nearest() -> None:
    with pytest.raises(LookupError, match="nearest: z3fold_zpool_malloc"):
        plan.resolve_symbol(["z3fold_zpool_mallok"], {"z3fold_zpool_malloc": (".text", 0)})


def test_lock_rules_follow_the_lock_into_the_pool() -> None:
    z3fold = definition.load("z3fold")
    page = {"z3fold_header": {"page_lock": 16}, "z3fold_pool": {"lock": 8, "stale_lock": 12}}
    rules, locks = plan.lock_rules(z3fold, page)
    assert [r.offset for r in rules] == [8, 12, 16, 0]  # exact addresses first
    pool = {**page, "z3fold_pool": {"lock": 8, "stale_lock": 12, "page_lock": 16}}
    _, moved = plan.lock_rules(z3fold, pool)
    assert {lock.name: lock.members for lock in moved}["page"] == ["z3fold_pool.page_lock"]
    assert {lock.name: lock.members for lock in locks}["page"] == ["z3fold_header.page_lock"]


@pytest.mark.parametrize(
    ("arguments", "number"),
    [(None, 0), ([], layout.NO_ARGUMENT), (["size", "pool"], 1), (["size"], layout.NO_ARGUMENT)],
)
def test_the_argument_that_is_the_pool(arguments: list[str] | None, number: int) -> None:
    rule = definition.OperationRule(functions=["f"])
    if arguments is not None:
        rule = definition.OperationRule(functions=["f"], arguments=arguments)
    assert rule.pool_argument() == number
