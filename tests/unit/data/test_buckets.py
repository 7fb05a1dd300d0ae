"""The bucket formula: one in C, one in Python, the same on every edge."""

from pathlib import Path

import pytest
from compiling import printed
from hypothesis import given
from hypothesis import strategies as st

from z3trace.data import buckets

EDGES = sorted(
    {
        value
        for bucket in range(buckets.BUCKETS)
        for value in (buckets.lower(bucket), buckets.upper(bucket) - 1)
    }
)


def test_c_and_python_agree_on_every_edge(tmp_path: Path) -> None:
    source = """
        #include <stdio.h>
        #include "histogram.h"
        int main(void) { unsigned long long v;
            while (scanf("%llu", &v) == 1) printf("%u\\n", z3t_bucket(v)); return 0; }
        """
    words = printed(source, tmp_path, "\n".join(map(str, EDGES)))
    assert list(map(int, words)) == [buckets.index(value) for value in EDGES]


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
