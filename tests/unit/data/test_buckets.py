"""The bucket formula: one in C, one in Python, the same on every edge."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from z3trace.bpf import checklayout, layout
from z3trace.bpf.programs import probe_source
from z3trace.data import buckets, rules

EDGES = sorted(
    {
        value
        for bucket in range(buckets.BUCKETS)
        for value in (buckets.lower(bucket), buckets.upper(bucket) - 1)
    }
)


def compile_c(source: str, directory: Path) -> Path:
    assert shutil.which("gcc"), "gcc is needed: setup.sh installs it"
    (directory / "test.c").write_text(source)
    program = directory / "test"
    subprocess.run(
        [
            "gcc",
            "-Wall",
            "-Werror",
            "-Wno-misleading-indentation",
            f"-I{probe_source()}",
            directory / "test.c",
            "-o",
            program,
        ],
        check=True,
    )
    return program


def test_c_and_python_agree_on_every_edge(tmp_path: Path) -> None:
    program = compile_c(
        """
        #include <stdio.h>
        #include "histogram.h"
        int main(void) { unsigned long long v;
            while (scanf("%llu", &v) == 1) printf("%u\\n", z3t_bucket(v)); return 0; }
        """,
        tmp_path,
    )
    text = "\n".join(map(str, EDGES))
    out = subprocess.run([program], input=text, capture_output=True, text=True, check=True).stdout
    assert list(map(int, out.split())) == [buckets.index(value) for value in EDGES]


def test_structures_are_those_of_the_c_header(tmp_path: Path) -> None:
    """Sizes, and the offset of every member."""
    expected, lines = [], []
    for kind, name in (layout.STRUCTURES | checklayout.STRUCTURES).items():
        expected.append(ctypes.sizeof(kind))
        lines.append(f"sizeof(struct {name})")
        for field in kind._fields_:
            member = field[0].replace("lock_class", "class")
            expected.append(getattr(kind, field[0]).offset)
            lines.append(f"offsetof(struct {name}, {member})")
        assert ctypes.sizeof(kind) % 8 == 0 or kind in (layout.Rule,), "an array's stride"
    expected += [len(layout.LEDGER), len(layout.PROGRAMS), buckets.BUCKETS, layout.SERIES]
    lines += ["Z3T_LEDGER", "Z3T_PROGRAMS", "Z3T_BUCKETS", "Z3T_SERIES"]
    expected += [len(rules.IN_KERNEL), checklayout.INCIDENTS, checklayout.CONDITIONS]
    lines += ["Z3T_CHECK_RULES", "Z3T_INCIDENTS", "Z3T_CONDITIONS"]
    printed = "".join(f'printf("%zu\\n", (size_t)({line}));' for line in lines)
    program = compile_c(
        f"""
        #include <stdio.h>
        #include <stddef.h>
        typedef unsigned long long u64; typedef unsigned int u32;
        typedef unsigned short u16; typedef unsigned char u8; typedef int s32;
        #include "check.h"
        int main(void) {{ {printed} return 0; }}
        """,
        tmp_path,
    )
    out = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    assert dict(zip(lines, map(int, out), strict=True)) == dict(zip(lines, expected, strict=True))


@given(st.integers(0, buckets.U64_MAX))
def test_a_value_lies_in_its_bucket(value: int) -> None:
    bucket = buckets.index(value)
    assert buckets.lower(bucket) <= value < buckets.upper(bucket)


def test_buckets_cover_u64_without_gaps() -> None:
    assert buckets.lower(0) == 0
    assert buckets.upper(buckets.BUCKETS - 1) == 1 << 64
    for bucket in range(buckets.BUCKETS - 1):
        assert buckets.upper(bucket) == buckets.lower(bucket + 1)


@pytest.mark.parametrize("value", [-1, 1 << 64])
def test_outside_u64_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="64-bit"):
        buckets.index(value)
