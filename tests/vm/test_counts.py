"""Known workloads with exact counts: what was done is what was recorded."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vm.accounts import agrees_with_the_workload, counted, nothing_lost
from vm.conftest import MANY, MILLION, Guest, recorded, z3trace

pytestmark = pytest.mark.vm

EXACT = {"alloc": 23, "map": 23, "unmap": 23, "free": 19, "reclaim": 0}


def test_23_allocations_are_23_recorded(
    guest: Guest, built: Callable[[str], Path], tmp_path: Path
) -> None:
    workload = "--workload zpool-bench:allocs=23,frees=19,verify=0"
    result = guest(
        f"{z3trace()} record --load {workload} -o packaged.z3t\n"
        f"{z3trace()} record --load --module {built('page-lock')} {workload} -o built.z3t\n"
    )
    assert result.returncode == 0, result.stderr
    for name in ("packaged", "built"):
        recording = recorded(tmp_path / f"{name}.z3t")
        assert recording.complete
        counts = {c.operation: c.returns for c in recording.runs[0].operations}
        assert counts == EXACT
        agrees_with_the_workload(recording)
    nothing_lost(recorded(tmp_path / "built.z3t"))
    assert recorded(tmp_path / "built.z3t").session.module.variant == "page-lock"
    missing = [s for s in recorded(tmp_path / "packaged.z3t").session.sites if not s.attached]
    assert {s.function for s in missing} == {"__z3fold_alloc"}
    assert all("notrace" in s.reason for s in missing)


@pytest.mark.parametrize(("variant", "ops"), [("page-lock", MILLION), ("pool-lock", MANY)])
def test_operations_are_counted_to_the_last(
    guest: Guest, built: Callable[[str], Path], tmp_path: Path, variant: str, ops: int
) -> None:
    words = f"--module {built(variant)} --workload zpool-bench:threads=2,ops={ops // 2},headless=5"
    recording = counted(guest, tmp_path, words, ops)
    assert recording.runs[0].result.facts["headless"] > 0
    classes = {c.lock: c for c in recording.runs[0].locks}
    assert set(classes) >= {"page", "pool", "stale", "slots"}
    assert "other" not in classes


def test_reclaim_with_refused_evictions_is_recorded(
    guest: Guest, built: Callable[[str], Path], tmp_path: Path
) -> None:
    workload = "--workload zpool-bench:threads=1,ops=20000,reclaim=20,refuse=30"
    recording = counted(guest, tmp_path, f"--module {built('page-lock')} {workload}")
    facts = recording.runs[0].result.facts
    assert facts["evictions_accepted"] > 0
    assert facts["evictions_refused"] > 0


def test_zswap_drives_the_target(guest: Guest, tmp_path: Path) -> None:
    result = guest(
        "modprobe z3fold\n"
        f"{z3trace()} record -o x.z3t --workload zswap:mb=64,limit=32,passes=1\n"
        "swapon --show; rmmod z3fold || true\n"
    )
    assert result.returncode == 0, result.stderr
    run = recorded(tmp_path / "x.z3t").runs[0]
    assert run.result.facts["pages_touched"] == 2 * 64 * 256
    counts = {c.operation: c.returns for c in run.operations}
    # Of 64 MB, at most 32 fit: the rest was stored, and came back for the second pass.
    assert counts["alloc"] >= 24 * 256
    assert counts["map"] >= counts["alloc"]
    assert run.ledger is not None
    assert run.ledger.skipped_programs == 0
    assert run.ledger.missed_probes == 0
