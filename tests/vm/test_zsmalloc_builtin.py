"""zsmalloc where it is a part of the kernel: the kernel's own, and a copy beside it."""

from pathlib import Path

import pytest

from vm.accounts import agrees_with_the_workload, nothing_lost
from vm.conftest import LONG, MANY, Guest, recorded, z3trace
from z3trace.data.model import Run
from z3trace.kernels import build, fetch, variant

pytestmark = pytest.mark.vm
#: The series, and what reads and writes objects there.
KERNELS = {"6.12": ("map", "map"), "7.2": ("read-begin", "write")}
MEMBERS = {
    "6.12": {"size_class.lock", "zs_pool.migrate_lock", "zspage.lock"},
    "7.2": {"size_class.lock", "zs_pool.lock", "zspage.zsl"},
}


def _calls(run: Run) -> dict[str, int]:
    return {counts.operation: counts.returns for counts in run.operations}


@pytest.mark.parametrize("series", KERNELS if LONG else ["6.12"])
def test_a_copy_is_recorded_to_the_last(series: str, guest: Guest, tmp_path: Path) -> None:
    """The workload drives the copy, and zram goes on to use the kernel's own."""
    kernel = fetch.cached(series, print)
    chosen = variant.load("zs-class-lock", target="zsmalloc")
    copy = build.build_variant(kernel, "mm/zsmalloc.c", chosen, print).path
    in_place = ",sg=50" if series == "7.2" else ""
    result = guest(
        f"{z3trace()} record --load --module {copy} --target zsmalloc -o copy.z3t "
        "--no-calibrate --workload zs-bench:threads=2,"
        f"ops={MANY // 2},compact=2,migrate=20,headless=5{in_place}\n"
        f"{z3trace()} record --target zsmalloc -o own.z3t --no-calibrate --workload zram:mb=8\n",
        options=("--release", kernel.release),
    )
    assert result.returncode == 0, result.stderr
    recording = recorded(tmp_path / "copy.z3t")
    run = recording.runs[0]
    assert recording.session.module.name == "zsmalloc_beside"
    assert sum(t.calls for t in run.result.operations) >= MANY
    assert run.result.facts["corrupted"] == 0
    assert run.result.facts["migrated"] > 100
    assert run.result.facts["pages_compacted"] > 0
    agrees_with_the_workload(recording)
    nothing_lost(recording)
    assert {lock.lock for lock in run.locks} == {"size-class", "migration", "zspage"}
    members = {name for lock in recording.session.locks for name in lock.members}
    assert members & {*MEMBERS["6.12"], *MEMBERS["7.2"]} == MEMBERS[series]
    own = recorded(tmp_path / "own.z3t")
    assert own.session.module.origin == "builtin"
    facts, counts = own.runs[0].result.facts, _calls(own.runs[0])
    reads, writes = KERNELS[series]
    assert counts["alloc"] == facts["pages_written"]
    both = facts["pages_read"] + facts["pages_written"]
    assert counts[reads] == (both if reads == writes else facts["pages_read"])
    assert counts[writes] == (both if reads == writes else facts["pages_written"])
    nothing_lost(own)
