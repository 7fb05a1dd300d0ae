"""Target definitions."""

from pathlib import Path

import pytest

from z3trace.bpf import layout
from z3trace.errors import InputError, UsageError
from z3trace.target import definition


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


@pytest.mark.parametrize(
    ("arguments", "number"),
    [(None, 0), ([], layout.NO_ARGUMENT), (["size", "pool"], 1), (["size"], layout.NO_ARGUMENT)],
)
def test_the_argument_that_is_the_pool(arguments: list[str] | None, number: int) -> None:
    rule = definition.OperationRule(functions=["f"])
    if arguments is not None:
        rule = definition.OperationRule(functions=["f"], arguments=arguments)
    assert rule.pool_argument() == number
