"""Healthy modules are not accused, and what was exercised is said."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from vm.conftest import LONG, MANY, Guest, z3trace

pytestmark = pytest.mark.vm
OPS = "zpool-bench:threads=2,ops=40000,slots=64,headless=10,reclaim=20,refuse=30,drain=1"
ZS = "zs-bench:threads=2,slots=64,headless=10,compact=2,migrate=10,drain=1,ops="
#: Name -> (target, variant to build or none, workload).  Of the packaged module some call
#: sites are seen in the lock functions only.
HEALTHY = {
    "page-lock": ("z3fold", "page-lock", OPS),
    "packaged": ("z3fold", "", "zpool-bench:threads=2,ops=30000,slots=64,headless=10"),
    "zsmalloc": ("zsmalloc", "", f"{ZS}{MANY // 2}"),
}
if LONG:
    HEALTHY["pool-lock"] = ("z3fold", "pool-lock", OPS)


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_module_is_clean(
    name: str, guest: Guest, built: Callable[[str], Path], tmp_path: Path
) -> None:
    target, variant, workload = HEALTHY[name]
    module = f"--module {built(variant)}" if variant else ""
    result = guest(
        f"{z3trace()} check --target {target} {module} --load -o out --workload {workload}\n"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    report = json.loads((tmp_path / "out/check.json").read_bytes())
    assert report["verdict"] == "clean", report
    assert sum(report["exercised"]["operations"].values()) >= 60_000
    assert not report["lost_events"]
    assert report["exercised"]["unseen"] == []
    if name == "page-lock":
        assert {c["name"]: c["count"] > 0 for c in report["exercised"]["conditions"]} == {
            "reclaim with an empty LRU list": True,
            "eviction of a HEADLESS page": True,
            "eviction refused": True,
            "page compacted": True,
        }
    if name == "zsmalloc":
        # Its map returns with the object's page chain locked, by contract.
        assert report["exercised"]["operations"]["map"] > 0
        assert report["exercised"]["operations"]["compact"] > 0
