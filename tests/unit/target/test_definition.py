"""Target definitions."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from z3trace.bpf import layout
from z3trace.errors import InputError, UsageError
from z3trace.kernels import variant
from z3trace.target import definition
from z3trace.workloads import choose


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
        'name = "x"\nmodule = "x\\n"\n[operations.a]\nfunctions = ["f"]',
        'name = "x\\n"\nmodule = "x"\n[operations.a]\nfunctions = ["f"]',
        'name = "x"\nmodule = "x"\n[operations.a]\nfunctions = ["f\\n"]',
        'name = "x"\nmodule = "x"\nsource = "a.c\\n"\n[operations.a]\nfunctions = ["f"]',
        'name = "x"\nmodule = "x"\nbuiltin = ["abc\\n"]\n[operations.a]\nfunctions = ["f"]',
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


_HEAD = 'name = "x"\nmodule = "x"\n'
_OPERATION = '[operations.a]\nfunctions = ["f"]\n'
HOSTILE = {
    "a thousand arrays in each other": f"{_HEAD}a = " + "[" * 1000 + "]" * 1000,
    "a hundred thousand arrays in each other": f"{_HEAD}a = " + "[" * 100_000,
    "a thousand tables in each other": f"{_HEAD}a = " + "{a = " * 1000 + "1" + "}" * 1000,
    "an integer of 5 000 digits": f"{_HEAD}a = " + "9" * 5000,
    "an integer of 4 000 digits where a small one belongs": _HEAD
    + _OPERATION
    + '[[conditions]]\nname = "c"\nfunctions = ["f"]\nvalue = '
    + "9" * 4000,
    "a key of half a million parts": ".".join(["a"] * 500_000) + " = 1",
    "keys of many parts, again and again": "\n".join(
        f"[a{n}." + ".".join(["b"] * 30) + "]" for n in range(7000)
    ),
    "arrays for everything": _HEAD + _OPERATION + "locks = [[1]]",
    "an array for an operation": f"{_HEAD}operations = [[1]]",
    "bytes that are no text": b"\xff\xfe",
    "lines in a value's name": f'{_HEAD}[operations."a\\nb"]\nfunctions = ["f"]',
    "a long key": f"{_HEAD}{'k' * 100_000} = 1\n{_OPERATION}",
    "a mebibyte": "#" * (1 << 20),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_strangers_definition_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    content = HOSTILE[name]
    path = tmp_path / "x.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    start = time.process_time()
    with pytest.raises(InputError, match=r"x\.toml") as raised:
        definition.load(str(path))
    assert time.process_time() - start < 5
    assert "\n" not in raised.value.message
    assert len(raised.value.message) < 600


@pytest.mark.parametrize("kind", ["directory", "fifo", "device", "loop"])
def test_what_is_no_file_is_said_and_not_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.toml"
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if kind == "device" else path)
    result = subprocess.run(
        [sys.executable, "-m", "z3trace", "doctor", "--target", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"z3trace: cannot read {path}: ")


def test_a_name_is_no_way_to_another_directory(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(_HEAD + _OPERATION)
    with pytest.raises(UsageError, match="there is no target"):
        definition.load(f"{'../' * 30}{tmp_path}/x")


def test_the_copy_of_built_in_code_is_the_target_under_another_name() -> None:
    target = definition.load("zsmalloc")
    copy = target.of_file(Path("/x/zsmalloc_beside.ko"))
    assert (copy.module, copy.builtin, copy.name) == ("zsmalloc_beside", [], "zsmalloc")
    assert copy.operations == target.operations
    for path in (None, Path("/x/zsmalloc.ko"), Path("/x/other_beside.ko")):
        assert target.of_file(path) is target


def test_what_a_target_compares_and_checks_is_there() -> None:
    """Its variants are its own, and its workloads are known."""
    for name in definition.shipped():
        default = definition.load(name).defaults
        for each in (default.before, default.after, default.base, default.patched):
            if each:
                variant.load(each, target=name)
        assert choose.named(default.check).description == default.check
        assert choose.named(default.compare).description == default.compare
