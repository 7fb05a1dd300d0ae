"""The workload that a command line names."""

import pytest

from z3trace.errors import UsageError
from z3trace.workloads.choose import choose, named
from z3trace.workloads.command import Command, Duration
from z3trace.workloads.zpool_bench import ZpoolBench
from z3trace.workloads.zram import Zram
from z3trace.workloads.zs_bench import ZsBench
from z3trace.workloads.zswap import Zswap


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("zpool-bench:threads=2", None, ()), ZpoolBench),
        (("zs-bench:compact=5,migrate=2", None, ()), ZsBench),
        (("zram:mb=8,discard=0", None, ()), Zram),
        (("zswap", None, ()), Zswap),
        ((None, 0.0, ()), Duration),
        ((None, None, ("true",)), Command),
    ],
)
def test_each_way_to_name_one(
    arguments: tuple[str | None, float | None, tuple[str, ...]], kind: type
) -> None:
    assert isinstance(choose(*arguments), kind)


@pytest.mark.parametrize(
    "arguments",
    [(None, None, ()), ("zswap", 1.0, ()), ("zswap", None, ("true",)), (None, 1.0, ("true",))],
)
def test_exactly_one_must_be_named(
    arguments: tuple[str | None, float | None, tuple[str, ...]],
) -> None:
    with pytest.raises(UsageError, match="give one of"):
        choose(*arguments)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing", "no workload 'nothing'"),
        ("zpool-bench:nothing=1", "no parameter 'nothing'"),
        ("zpool-bench:ops=many", "ops='many' is not valid"),
        ("zpool-bench:ops=" + "9" * 5000, "is not valid"),
        ("zpool-bench:type=../x", "is not valid"),
        ("zs-bench:type=z3fold", "no parameter 'type'"),
        ("zs-bench:reclaim=1", "no parameter 'reclaim'"),
        ("zram:mb=0", "mb=0 is not from 1 to 1024"),
        ("zram:threads=65", "threads=65 is not from 1 to 64"),
        ("zram:discard=101", "is not from 0 to 100"),
        ("zram:type=lzo", "no parameter 'type'"),
        ("zswap:fast_ops=1", "no parameter 'fast_ops'"),
    ],
)
def test_what_is_not_known_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        named(text)


def test_a_description_names_the_workload_again() -> None:
    for text in (
        "zpool-bench:threads=2,ops=9,fast_ops=90",
        "zs-bench:sg=9",
        "zswap:mb=64",
        "zswap",
    ):
        assert named(text).description == text
