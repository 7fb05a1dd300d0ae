"""The rules that no bug of the review breaks, each broken by a patch in ``rules``."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vm import bugs
from z3trace.kernels import fetch

pytestmark = pytest.mark.vm
#: One CPU stays free: a thread that leaks its preemption count keeps its own.
WORKLOAD = "zpool-bench:threads=1,ops=40000,slots=64,headless=10,reclaim=20,refuse=30,drain=1"


@pytest.fixture(scope="module")
def broken(
    kernel: fetch.Kernel, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bugs.Outcome]:
    """The rules that no bug of the review breaks, each broken by a patch."""
    where = tmp_path_factory.mktemp("rules")

    def one(patch: Path) -> bugs.Outcome:
        more = ["--patch", str(patch), "--workload", WORKLOAD]
        return bugs.check("page-lock", where / patch.stem, *more, release=kernel.release)

    with ThreadPoolExecutor(2) as pool:
        patches = sorted((Path(__file__).parent / "rules").glob("*.cocci"))
        found = pool.map(one, patches)
        return {patch.stem: outcome for patch, outcome in zip(patches, found, strict=True)}


@pytest.mark.parametrize(
    ("rule", "lock", "code"),
    [
        ("free-while-held", "page", "z3fold_page_lock(zhdr)"),
        ("sleep-in-atomic", "stale", "spin_lock(&pool->stale_lock)"),
        ("foreign-release", "page", "z3fold_page_unlock(zhdr)"),
    ],
)
def test_a_broken_rule_is_told(
    rule: str, lock: str, code: str, broken: dict[str, bugs.Outcome]
) -> None:
    outcome = broken[rule]
    assert outcome.status == 3, outcome.said
    told = [v for v in outcome.report["violations"] if v["rule"] == rule]
    assert told, outcome.report["violations"]
    assert told[0]["lock"] == lock
    assert told[0]["instances"][0]["events"]
    assert code in bugs.source_line(f"page-lock+{rule}", told[0]["line"])
