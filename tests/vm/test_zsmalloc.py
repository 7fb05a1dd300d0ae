"""zsmalloc driven directly: what was done is what was recorded, and objects stay whole."""

from pathlib import Path

import pytest

from vm.accounts import agrees_with_the_workload, counted, nothing_lost
from vm.conftest import MANY, Guest, recorded, z3trace

pytestmark = pytest.mark.vm
EXACT = {"alloc": 23, "map": 23, "unmap": 23, "free": 19, "compact": 1}


def test_23_allocations_are_23_recorded(guest: Guest, tmp_path: Path) -> None:
    result = guest(
        f"{z3trace()} record --load --target zsmalloc -o x.z3t --no-calibrate "
        "--workload zs-bench:allocs=23,frees=19,verify=0,compact=1\n"
    )
    assert result.returncode == 0, result.stderr
    recording = recorded(tmp_path / "x.z3t")
    assert {c.operation: c.returns for c in recording.runs[0].operations} == EXACT
    agrees_with_the_workload(recording)
    nothing_lost(recording)
    # What this kernel has not is said, and is no failure.
    assert "this kernel has no read-begin, read-end, write" in result.stderr
    missing = {op.name: op.reason for op in recording.session.operations if not op.attached}
    assert "none of zs_obj_read_begin is there" in missing["read-begin"]


def test_operations_are_counted_to_the_last(guest: Guest, tmp_path: Path) -> None:
    """With compaction, and with pages that are moved while others use their objects."""
    words = (
        "--target zsmalloc --no-calibrate "
        f"--workload zs-bench:threads=2,ops={MANY // 2},compact=2,migrate=20,headless=5"
    )
    run = counted(guest, tmp_path, words, MANY).runs[0]
    assert run.result.facts["headless"] > 0
    assert run.result.facts["pages_compacted"] > 0
    assert run.result.facts["migrated"] > 100
    assert {lock.lock for lock in run.locks} == {"size-class", "zspage"}
    # Compaction takes the lock of the classes first, then that of a page chain.
    nested = {(pair.held, pair.acquired) for pair in run.nesting}
    assert ("size-class", "zspage") in nested
    assert ("zspage", "size-class") not in nested


def test_zram_drives_the_target(guest: Guest, tmp_path: Path) -> None:
    """Each page that is written is one object, and each that is read is mapped once."""
    result = guest(
        f"{z3trace()} record --load --target zsmalloc -o x.z3t --no-calibrate "
        "--workload zram:mb=16,threads=2,passes=2,discard=25\n"
        "! test -e /sys/module/zram; ! test -e /sys/module/zsmalloc\n"
    )
    assert result.returncode == 0, result.stderr
    recording = recorded(tmp_path / "x.z3t")
    run = recording.runs[0]
    pages = 16 * 256
    facts = run.result.facts
    assert (facts["pages_written"], facts["pages_read"]) == (2 * pages, 2 * pages)
    assert 0.2 < facts["pages_discarded"] / facts["pages_written"] < 0.3
    left = pages - facts["pages_discarded"] // 2
    assert facts["zram_orig_data_size"] == left * 4096
    counts = {c.operation: c.returns for c in run.operations}
    assert counts["alloc"] == facts["pages_written"]
    assert counts["map"] == counts["unmap"] == facts["pages_written"] + facts["pages_read"]
    # What was discarded in the first pass is not overwritten in the second.
    assert counts["free"] == facts["pages_discarded"] + left
    assert counts["compact"] >= 2
    nothing_lost(recording)


def test_zswap_drives_the_target(guest: Guest, tmp_path: Path) -> None:
    result = guest(
        "modprobe zsmalloc\n"
        f"{z3trace()} record --target zsmalloc -o x.z3t --no-calibrate "
        "--workload zswap:mb=64,limit=32,passes=1,type=zsmalloc\n"
    )
    assert result.returncode == 0, result.stderr
    run = recorded(tmp_path / "x.z3t").runs[0]
    assert run.result.facts["pages_touched"] == 2 * 64 * 256
    counts = {c.operation: c.returns for c in run.operations}
    assert counts["alloc"] >= 24 * 256
    assert counts["map"] >= counts["alloc"]
