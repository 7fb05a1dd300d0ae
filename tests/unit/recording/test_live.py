"""What changed since the last look, and quantiles of it."""

from typing import Any

import fakes
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from z3trace.data import buckets
from z3trace.recording import live
from z3trace.recording.live import Look, Watch

PAGE = 1


def _watch(programs: Any, shown: list[Look], every: float = 1000.0) -> Watch:
    return Watch(programs, fakes.plan(), shown.append, every)


def test_a_look_has_only_what_is_new() -> None:
    programs: Any = fakes.Programs()
    programs.observe(0, 0, 1000, 1000)
    with _watch(programs, []) as watch:
        first = watch.look()
        assert [row.name for row in first.rows] == ["alloc"]
        assert first.rows[0].rate > 0
        programs.observe(1, 0, 64000)
        (row,) = watch.look().rows
        # Were the first two still in it, the median would be theirs.
        assert row.p50 >= 60000
        (row,) = watch.look().rows
        assert (row.rate, row.p50, row.p99) == (0, 0, 0)


def test_the_share_of_contended_acquisitions_is_of_the_new_ones() -> None:
    programs: Any = fakes.Programs()
    page = programs.per_cpu[0].classes[PAGE]
    page.acquisitions, page.contended = 100, 100
    with _watch(programs, []) as watch:
        watch.look()
        page.acquisitions, page.contended = 110, 101
        shares = {name: share for name, _, share in watch.look().contended}
        assert shares["page"] == 0.1
        assert {name: share for name, _, share in watch.look().contended}["page"] == 0


def test_looks_are_shown_until_the_end() -> None:
    shown: list[Look] = []
    programs: Any = fakes.Programs()
    with _watch(programs, shown, every=0.001):
        for _ in range(1000):
            if len(shown) >= 3:
                break
            np.random.default_rng(0).random(10000)
    assert len(shown) >= 3
    assert all(0 <= look.cost <= 1.5 for look in shown)
    count = len(shown)
    np.random.default_rng(0).random(1_000_000)
    assert len(shown) == count


@given(
    st.lists(st.integers(0, 1 << 40), min_size=1, max_size=200),
    st.sampled_from([0.5, 0.9, 0.99]),
)
def test_a_quantile_is_numpys_as_far_as_buckets_tell(values: list[int], at: float) -> None:
    counts: dict[int, int] = {}
    for value in values:
        counts[buckets.index(value)] = counts.get(buckets.index(value), 0) + 1
    found = live._quantile(counts, at)
    exact = int(np.quantile(values, at, method="inverted_cdf"))
    bucket = buckets.index(exact)
    assert buckets.lower(bucket) <= found <= buckets.upper(bucket)


def test_no_quantile_of_nothing() -> None:
    assert live._quantile({}, 0.5) == 0
