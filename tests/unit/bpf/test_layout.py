"""The Python mirrors of the C headers: sizes, offsets, and numbers by name."""

import ctypes
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from compiling import printed

from z3trace.bpf import checklayout, layout
from z3trace.code.placement import REGISTERS
from z3trace.data import buckets, rules

Evaluate = Callable[[list[str]], dict[str, int]]
_TYPES = """
#include <stdio.h>
#include <stddef.h>
typedef unsigned long long u64; typedef unsigned int u32;
typedef unsigned short u16; typedef unsigned char u8; typedef int s32;
"""


@pytest.fixture
def evaluate(tmp_path: Path) -> Evaluate:
    """The values of C expressions, with probes/check.h and what it includes."""

    def values(expressions: list[str]) -> dict[str, int]:
        lines = "".join(f'printf("%zu\\n", (size_t)({one}));' for one in expressions)
        main = f"int main(void) {{ {lines} return 0; }}"
        words = printed(f'{_TYPES}\n#include "check.h"\n{main}\n', tmp_path)
        return dict(zip(expressions, map(int, words), strict=True))

    return values


def _agrees(evaluate: Evaluate, expected: Mapping[str, int]) -> None:
    assert evaluate(list(expected)) == dict(expected)


def test_structures_are_those_of_the_c_headers(evaluate: Evaluate) -> None:
    """Sizes, and the offset of every member."""
    expected: dict[str, int] = {}
    for kind, name in (layout.STRUCTURES | checklayout.STRUCTURES).items():
        assert ctypes.sizeof(kind) % 8 == 0 or kind in (layout.Rule,), "an array's stride"
        expected[f"sizeof(struct {name})"] = ctypes.sizeof(kind)
        for field in kind._fields_:
            member = field[0].replace("lock_class", "class")
            expected[f"offsetof(struct {name}, {member})"] = getattr(kind, field[0]).offset
    _agrees(evaluate, expected)


def test_sizes_of_arrays_are_those_of_the_c_headers(evaluate: Evaluate) -> None:
    names = ("OPERATIONS", "CLASSES", "CLEAN", "WITHIN", "SERIES", "SITES", "DEPTH", "HELD")
    names += ("WAITS", "TASK_SLOTS", "RULES", "POOLS", "PLACES")
    expected = {f"Z3T_{name}": getattr(layout, name) for name in names}
    names = ("STEPS", "OWNERS", "INCIDENTS", "CONDITIONS", "ORDER")
    expected |= {f"Z3T_{name}": getattr(checklayout, name) for name in names}
    expected |= {"Z3T_LEDGER": len(layout.LEDGER), "Z3T_PROGRAMS": len(layout.PROGRAMS)}
    _agrees(evaluate, expected | {"Z3T_BUCKETS": buckets.BUCKETS})


def test_series_are_those_of_the_c_header(evaluate: Evaluate) -> None:
    expected = {
        "Z3T_LATENCY(3)": 3,
        "Z3T_WAIT(3)": layout.wait_series(3),
        "Z3T_HOLD(3)": layout.hold_series(3),
        "Z3T_DISTURBED_LATENCY(3)": layout.disturbed_latency(3),
        "Z3T_DISTURBED_HOLD(3)": layout.disturbed_hold(3),
        "Z3T_CORRECTED(Z3T_DISTURBED_HOLD(3))": layout.corrected(layout.disturbed_hold(3)),
    }
    _agrees(evaluate, expected)


def test_numbers_are_those_of_the_c_header(evaluate: Evaluate) -> None:
    patches = [name for name in vars(layout) if name.startswith("PATCH_")]
    assert len(patches) == 8
    names = (*patches, "NO_ARGUMENT", "RW_BITS", "TRY", "RELEASE", "SPIN", "READ", "WRITE")
    names += ("FOR_SPIN", "FOR_RW", "BY_KIND", "BY_PAGE", "BY_POOL", "BY_POINTER")
    names += ("NO_RESULT", "FAILS_NONZERO", "FAILS_ZERO", "FAILS_ERROR")
    names += ("FREE", "WAITING", "HOLDING")
    _agrees(evaluate, {f"Z3T_{name}": getattr(layout, name) for name in names})


def test_the_rules_of_a_check_have_their_numbers_by_name(evaluate: Evaluate) -> None:
    """``enum z3t_check_rule`` and the table in data/rules.py."""
    expected = {
        "Z3T_" + name.upper().replace("-", "_"): number
        for number, name in enumerate(rules.IN_KERNEL)
        if name
    }
    _agrees(evaluate, expected | {"Z3T_NO_OFFENCE": 0, "Z3T_CHECK_RULES": len(rules.IN_KERNEL)})
    numbers = {rule.number: rule.name for rule in rules.RULES if rule.number is not None}
    assert numbers == {n: rules.IN_KERNEL[n] for n in range(1, len(rules.IN_KERNEL) - 1)}


def test_registers_have_their_numbers_by_name(evaluate: Evaluate) -> None:
    assert len(REGISTERS) == 16
    expected = {
        "Z3T_" + (name if name[1:].isdigit() else name[1:]).upper(): number
        for number, name in enumerate(REGISTERS)
    }
    _agrees(evaluate, expected)
