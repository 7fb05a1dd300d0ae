"""Runs of one lock class and of the workload's own lock count what is there, to the last."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import convert

from vm.classes import CLASSES
from vm.conftest import Guest
from z3trace.data.counts import Ledger
from z3trace.kernels import fetch, workloads

pytestmark = pytest.mark.vm


@pytest.fixture
def runs(
    guest: Guest, built: Callable[[str], Path], kernel: fetch.Kernel, tmp_path: Path
) -> dict[str, dict[str, Any]]:
    script = Path(__file__).with_name("classes.py")
    bench = workloads.build_workload(kernel, print).path
    result = guest(f"{sys.executable} {script} {built('counted')} {bench} runs.json")
    assert result.returncode == 0, result.stderr
    return {run["name"]: run for run in json.loads((tmp_path / "runs.json").read_text())}


def _counted(run: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Lock class -> acquisitions and releases, of those that had any."""
    found = {one["lock"]: (one["acquisitions"], one["releases"]) for one in run["locks"]}
    return {name: counts for name, counts in found.items() if any(counts)}


def test_every_event_is_in_the_run_of_its_class(runs: dict[str, dict[str, Any]]) -> None:
    """Guests are dear: all that they show is asked of one."""
    _counts_are_the_targets_own(runs)
    _each_class_counts_what_the_run_of_all_counted(runs)
    _two_threads_lose_nothing(runs)
    _a_site_that_is_missing_shows(runs)
    _a_hold_is_shorter_without_the_probes_of_other_locks(runs)
    _every_step_held_the_workloads_own_lock(runs)


def _counts_are_the_targets_own(runs: dict[str, dict[str, Any]]) -> None:
    """Of the first run after the module was loaded, before anything was torn down."""
    truth, counts = runs["exact:unlearned:pool"]["facts"], _counted(runs["exact:all"])
    assert counts["page"][0] + counts["pool"][0] == truth["spin_acquired"]
    assert counts["page"][1] + counts["pool"][1] == truth["spin_released"]
    assert counts["slots"][0] == truth["read_acquired"] + truth["write_acquired"]
    assert counts["slots"][0] > counts["page"][0] > 6000


def _each_class_counts_what_the_run_of_all_counted(runs: dict[str, dict[str, Any]]) -> None:
    every = runs["exact:all"]
    for name in CLASSES:
        run = runs[f"exact:{name}"]
        counts = _counted(every).get(name)
        assert _counted(run) == ({name: counts} if counts else {})
        assert run["attached"] < every["attached"]
        assert run["operations"] == 0
    page = {"page": _counted(every)["page"]}
    for way in ("call-site", "function"):
        assert _counted(runs[f"exact:{way}:page"]) == page
    unlearned = runs["exact:unlearned:pool"]
    assert _counted(unlearned) == {"pool": _counted(every)["pool"]}
    # Where the pool is was told by the operations.
    assert unlearned["operations"] > 0
    assert unlearned["attached"] > runs["exact:pool"]["attached"]


def _two_threads_lose_nothing(runs: dict[str, dict[str, Any]]) -> None:
    for name in CLASSES:
        run = runs[f"busy:{name}"]
        assert convert(run["ledger"], Ledger).lost() == 0, run["ledger"]
        assert run["ledger"]["open_holds"] == 0
        ((acquired, released),) = _counted(run).values()
        assert acquired == released > 0
        assert set(run["holds"]) == set(run["waits"]) == {name}
        assert run["holds"][name][0] == run["waits"][name][0] == acquired
    locks = [one for name in CLASSES for one in runs[f"busy:{name}"]["locks"]]
    assert sum(one["contended"] for one in locks) > 0


def _a_site_that_is_missing_shows(runs: dict[str, dict[str, Any]]) -> None:
    """Sites left out by a lie: what is known of them is wrong."""
    unreleased = runs["without:release"]["ledger"]
    assert unreleased["unseen_releases"] > 0
    assert unreleased["unseen_releases"] + unreleased["held_overflows"] > 10_000
    assert runs["without:acquire"]["ledger"]["unmatched_releases"] > 10_000


def _a_hold_is_shorter_without_the_probes_of_other_locks(runs: dict[str, dict[str, Any]]) -> None:
    means = [runs[name]["holds"]["page"] for name in ("alone:page", "alone:all")]
    alone, every = (total / count for count, total in means)
    assert alone < 0.8 * every


def _every_step_held_the_workloads_own_lock(runs: dict[str, dict[str, Any]]) -> None:
    run = runs["own-lock"]
    steps = run["own_locks"]
    assert steps > 1000
    names = ("own-jump", "own-trap", "own-jump-trap", "own-trap-jump")
    assert _counted(run) == dict.fromkeys(names, (steps, steps))
    assert {name: count for name, (count, _) in run["holds"].items()} == dict.fromkeys(names, steps)
    assert convert(run["ledger"], Ledger).lost() == 0
    assert all(other["own_locks"] == 0 for name, other in runs.items() if name != "own-lock")
