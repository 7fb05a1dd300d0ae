"""Series, counters and the ledger, from maps that the test fills as the kernel would."""

from typing import Any

import fakes
import pytest
from hypothesis import given
from hypothesis import strategies as st

from z3trace.bpf import layout
from z3trace.data import buckets
from z3trace.data.model import Calibration
from z3trace.recording import counters
from z3trace.recording.counters import Tally

OTHER, PAGE, POOL = range(3)
ALLOC, FREE = range(2)
MEASURED = Calibration(
    operation_floor=100,
    wait_floor=30,
    hold_floor=20,
    operation=1,
    jump=1,
    emulated=1,
    stepped=1,
    spread=1,
)


@pytest.fixture
def programs() -> Any:
    return fakes.Programs()


def _series(programs: Any, measured: Calibration | None = None) -> dict[tuple[str, str], Any]:
    made = counters.series(programs, fakes.plan(fakes.Code(sites=[fakes.site(0)])), measured)
    return {(series.metric, series.operation or series.lock): series for series in made}


def test_a_latency_is_summed_over_cpus_and_over_both_its_histograms(programs: Any) -> None:
    programs.observe(0, ALLOC, 1000, 5000)
    programs.observe(1, ALLOC, 40)
    programs.observe(1, layout.disturbed_latency(ALLOC), 70000)
    series = _series(programs)
    assert set(series) == {("latency", "alloc")}
    latency = series["latency", "alloc"]
    assert (latency.count, latency.sum, latency.min, latency.max) == (4, 76040, 40, 70000)
    assert latency.buckets == [(buckets.index(v), 1) for v in (40, 1000, 5000, 70000)]


def test_a_correction_takes_the_floor_off_what_was_undisturbed(programs: Any) -> None:
    programs.observe(0, ALLOC, 1000)
    disturbed = layout.disturbed_latency(ALLOC)
    programs.observe(0, disturbed, 9000)
    # The kernel has taken floor and cost off this one itself.
    programs.observe(0, layout.corrected(disturbed), 7000)
    corrected = _series(programs, MEASURED)["corrected_latency", "alloc"]
    assert (corrected.count, corrected.sum) == (2, 900 + 7000)
    assert (corrected.min, corrected.max) == (900, 7000)


def test_acquisitions_without_a_wait_count_as_waits_of_nothing(programs: Any) -> None:
    programs.per_cpu[0].classes[PAGE].acquisitions = 3
    programs.per_cpu[1].classes[PAGE].acquisitions = 2
    programs.observe(1, layout.wait_series(PAGE), 250)
    wait = _series(programs)["wait", "page"]
    assert (wait.count, wait.sum, wait.min, wait.max) == (5, 250, 0, 250)
    assert wait.buckets[0] == (0, 4)


def test_holds_and_their_corrections(programs: Any) -> None:
    programs.observe(0, layout.hold_series(POOL), 15, 500)
    series = _series(programs, MEASURED)
    assert series["hold", "pool"].sum == 515
    # What is below the floor is nothing, not less.
    assert series["corrected_hold", "pool"].min == 0
    assert series["corrected_hold", "pool"].max == 480


@given(st.dictionaries(st.integers(0, 1), st.lists(st.integers(0, 1 << 40), max_size=20)))
def test_every_value_is_counted_once(values: dict[int, list[int]]) -> None:
    programs = fakes.Programs()
    for cpu, group in values.items():
        programs.observe(cpu, FREE, *group)
    every = [value for group in values.values() for value in group]
    series = _series(programs).get(("latency", "free"))
    assert (series is None) == (not every)
    if series is not None:
        assert (series.count, series.sum) == (len(every), sum(every))
        assert sum(count for _, count in series.buckets) == len(every)


def test_entries_come_from_the_tasks_and_returns_from_the_latencies(programs: Any) -> None:
    programs.tasks[0].entries[ALLOC] = 5
    programs.tasks[5].entries[ALLOC] = 2
    programs.tasks[3].entries[FREE] = 1
    programs.observe(0, ALLOC, 1, 2, 3)
    programs.observe(1, layout.disturbed_latency(ALLOC), 4)
    programs.per_cpu[0].operations[ALLOC] = layout.Operation(1, 20, 30, 7)
    programs.per_cpu[1].operations[ALLOC] = layout.Operation(2, 200, 300, 70)
    alloc, free = counters.operations(programs, fakes.plan())
    assert (alloc.entries, alloc.returns, free.entries, free.returns) == (7, 4, 1, 0)
    assert (alloc.failures, alloc.wait, alloc.hold, alloc.lock_events) == (3, 220, 330, 77)


def test_programs_on_trampolines_are_not_held_against_the_kernels_count(programs: Any) -> None:
    programs.per_cpu[0].programs[0] = 4  # returns
    programs.per_cpu[1].programs[1] = 30  # lock events
    programs.tasks[0].entries[ALLOC] = 5
    assert counters.programs_run(programs, trampolines=True) == 30
    assert counters.programs_run(programs, trampolines=False) == 39


def test_lock_classes_that_the_target_has_are_counted_even_if_idle(programs: Any) -> None:
    programs.per_cpu[0].classes[PAGE] = layout.LockClass(10, 3, 2, 9)
    programs.per_cpu[1].classes[PAGE] = layout.LockClass(1, 0, 0, 1)
    plan = fakes.plan(fakes.Code(sites=[fakes.site(0)]))
    idle = {lock.name for lock in plan.locks if lock.members}
    counted = {counts.lock: counts for counts in counters.locks(programs, plan)}
    assert set(counted) == {"page"} | idle
    assert "other" not in counted
    page = counted["page"]
    assert (page.acquisitions, page.contended, page.trylock_failures, page.releases) == (
        *(11, 3, 2),
        10,
    )
    programs.per_cpu[0].classes[OTHER].trylock_failures = 1
    assert "other" in {counts.lock for counts in counters.locks(programs, plan)}


def test_nesting_names_the_class_that_is_held_first(programs: Any) -> None:
    programs.per_cpu[0].nesting[PAGE * layout.CLASSES + POOL] = 6
    programs.per_cpu[1].nesting[PAGE * layout.CLASSES + POOL] = 1
    (pair,) = counters.nesting(programs, fakes.plan())
    assert (pair.held, pair.acquired, pair.count) == ("page", "pool", 7)


def test_a_call_site_has_sums_and_maxima_and_the_classes_it_met(programs: Any) -> None:
    sites = [fakes.site(0), fakes.site(1), fakes.site(2, "_raw_spin_unlock")]
    plan = fakes.plan(fakes.Code(sites=sites))
    programs.sites[1] = layout.Site(5, 2, 1, 0, 100, 60, 1000, 700, 1 << PAGE)
    programs.sites[programs.site_count + 1] = layout.Site(1, 1, 0, 0, 90, 90, 10, 10, 1 << POOL)
    programs.sites[2].releases = 4
    one, two = counters.sites(programs, plan)
    assert (one.site, two.site) == (1, 2)  # the first was never reached
    assert one.locks == ["page", "pool"]
    assert (one.acquisitions, one.contended, one.trylock_failures) == (6, 3, 1)
    assert (one.wait_sum, one.wait_max, one.hold_sum, one.hold_max) == (190, 90, 1010, 700)
    assert two.releases == 4


def test_the_ledger_has_losses_by_name_and_what_is_still_open(programs: Any) -> None:
    for number, name in enumerate(layout.LEDGER):
        programs.per_cpu[0].ledger[number] = number
        programs.per_cpu[1].ledger[number] = 10
        assert getattr(counters.ledger(programs, Tally()), name) == number + 10
    programs.tasks[0].depth, programs.tasks[1].holding = 2, 3
    ledger = counters.ledger(programs, Tally(hits=100, missed=4, ran=90, elsewhere=6))
    assert (ledger.open_operations, ledger.open_holds) == (2, 3)
    assert (ledger.skipped_programs, ledger.missed_probes) == (10, 4)
    assert ledger.lock_function_misses == 6


def test_a_program_that_ran_more_often_than_its_probe_was_hit_is_no_loss(programs: Any) -> None:
    assert counters.ledger(programs, Tally(hits=1, ran=2)).skipped_programs == 0


def test_the_difference_of_two_tallies_is_the_runs() -> None:
    assert Tally(10, 3, 9, 1) - Tally(4, 1, 4, 0) == Tally(6, 2, 5, 1)
