"""The workload that a command line names."""

import os
import platform
import shutil
from pathlib import Path

import pytest

from z3trace import paths
from z3trace.bpf.programs import probe_source
from z3trace.errors import UsageError
from z3trace.kernels import workloads
from z3trace.workloads.choose import built_module, built_program, choose, named, order
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
        ("zswap:limit=0", "limit=0 is not from 1 to 4096"),
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


def test_of_a_shared_cache_its_own_build_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version's is newer, one has a header more, and one has lost its sources."""
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path))
    there = tmp_path / "modules" / platform.release()
    sources = [paths.testbed() / "workload/zpool_bench.c", probe_source() / "histogram.h"]
    assert built_module("zpool_bench") is None
    made = {}
    for age, which in enumerate(("older", "own", "changed", "more", "bare")):
        directory = there / f"zpool_bench-{which}"
        directory.mkdir(parents=True)
        for source in sources if which != "bare" else []:
            shutil.copy(source, directory)
        if which == "changed":
            (directory / "histogram.h").write_text("/* another */")
        if which == "more":
            (directory / "more.h").touch()
        made[which] = directory / "zpool_bench.ko"
        made[which].write_bytes(b"built")
        os.utime(made[which], (0, age))
    assert built_module("zpool_bench") == made["own"]
    shutil.rmtree(made["own"].parent)
    assert built_module("zpool_bench") == made["older"]


def test_the_program_of_its_own_source_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path))
    other = tmp_path / "programs/zswap_pressure-0123456789abcdef"
    other.mkdir(parents=True)
    (other / "zswap_pressure").touch()
    assert built_program("zswap_pressure") is None
    built = workloads.build_program("zswap_pressure", lambda _: None)
    assert built_program("zswap_pressure") == built


def test_an_order_is_one_of_ours_or_a_command_and_not_both() -> None:
    assert str(order(None, (), "zswap")) == "zswap"
    assert isinstance(order("zram", (), "zswap").made(), Zram)
    command = order(None, ("sh", "-c", "a b"), "zswap")
    assert isinstance(command.made(), Command)
    assert str(command) == "sh -c 'a b'"
    with pytest.raises(UsageError, match="give one of"):
        order("zram", ("true",))
    with pytest.raises(UsageError, match="no workload"):
        order(None, ())
