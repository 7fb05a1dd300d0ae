"""The bucket formula: one in C, one in Python, the same on every edge."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from z3trace import buckets, layout
from z3trace.bpf import probe_source

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


def test_structures_have_the_sizes_of_the_c_header(tmp_path: Path) -> None:
    names = {
        "Rule": "z3t_rule",
        "Place": "z3t_place",
        "Config": "z3t_config",
        "Totals": "z3t_totals",
        "Operation": "z3t_operation",
        "LockClass": "z3t_class",
        "Site": "z3t_site",
        "Cpu": "z3t_cpu",
        "Frame": "z3t_frame",
        "Held": "z3t_held",
        "Task": "z3t_task",
    }
    lines = "".join(f'printf("%zu\\n", sizeof(struct {c}));' for c in names.values())
    program = compile_c(
        f"""
        #include <stdio.h>
        typedef unsigned long long u64; typedef unsigned int u32;
        typedef unsigned short u16; typedef unsigned char u8;
        #include "state.h"
        int main(void) {{ {lines} printf("%d %d %d\\n", Z3T_LEDGER, Z3T_PROGRAMS, Z3T_BUCKETS); return 0; }}
        """,
        tmp_path,
    )
    out = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    assert dict(zip(names, map(int, out), strict=False)) == layout.sizes()
    assert out[-3:] == [str(len(layout.LEDGER)), str(len(layout.PROGRAMS)), str(buckets.BUCKETS)]


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
