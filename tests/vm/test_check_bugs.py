"""The review's bugs are caught, in a guest that may not live to see it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from vm import bugs
from z3trace.kernels import build, fetch, variant, workloads

pytestmark = pytest.mark.vm


@pytest.fixture(scope="module")
def caught(
    kernel: fetch.Kernel, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bugs.Outcome]:
    """Every bug variant, checked once: two guests at a time, most of it is start-up."""
    for workload in ("zpool-bench", "zs-bench"):
        workloads.build_workload(kernel, print, workload)
    for name in bugs.VARIANTS:
        build.build_variant(kernel, f"mm/{bugs.target_of(name)}.c", variant.load(name), print)
    where = tmp_path_factory.mktemp("bugs")
    with ThreadPoolExecutor(2) as pool:
        outcomes = pool.map(
            lambda name: bugs.check(name, where / name, release=kernel.release), bugs.VARIANTS
        )
        return {outcome.variant: outcome for outcome in outcomes}


@pytest.mark.parametrize("variant", bugs.VARIANTS)
def test_the_bug_is_caught(variant: str, caught: dict[str, bugs.Outcome]) -> None:
    assert bugs.missed(caught[variant]) == ""


def test_a_hang_is_reported_with_the_lock_and_its_holder(caught: dict[str, bugs.Outcome]) -> None:
    outcome = caught["bug-double-lock"]
    stuck = [v for v in outcome.report["violations"] if v["rule"] == "stuck-wait"]
    assert stuck
    assert stuck[0]["lock"] == "page"
    assert stuck[0]["instances"][0]["other_task"] == stuck[0]["instances"][0]["task"]
    assert any("soft lockup" in line for line in outcome.report["hang"]["trace"])
    assert outcome.delay < 60  # asked for: 30, which `make bugs` measures
