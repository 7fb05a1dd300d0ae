"""The figures of one run."""

import dataclasses

import msgspec
import pytest
from samples import recording, run_seen, seen

from z3trace.analysis.figures import parts
from z3trace.analysis.figures.run import Key, Known, base_name, figures_of, measure, workload
from z3trace.data.model import CallSite, Run


def _figures(
    run: Run, schema: int = 3, sites: dict[int, CallSite] | None = None
) -> dict[Key, float]:
    (part,) = parts.of(run)
    rows = figures_of(part, measure(part.series), Known(sites or {}, {}, schema))
    return {key: value for key, value, _ in rows}


def test_means_are_exact_and_tails_need_their_values() -> None:
    run = recording("x", runs=1).runs[0]
    figures = _figures(run)
    latency = run.series[0]
    assert figures[Key("latency", "alloc", "", "mean", "ns")] == latency.sum / latency.count
    # Of 2000 values 20 lie above the 99th percentile, and 2 above the 99.9th.
    assert Key("latency", "alloc", "", "p99", "ns") in figures
    assert Key("latency", "alloc", "", "p99.9", "ns") not in figures
    assert "corrected_wait" not in {key.metric for key in figures}


def test_an_operation_s_time_is_wait_hold_and_rest() -> None:
    run = recording("x", runs=1).runs[0]
    counts = msgspec.structs.replace(run.operations[0], wait=4000, hold=6000)
    figures = _figures(msgspec.structs.replace(run, operations=[counts]))
    parts = {key.statistic: value for key, value in figures.items() if key.metric == "part"}
    assert (parts["wait"], parts["hold"]) == (2, 3)
    assert sum(parts.values()) == pytest.approx(run.series[0].sum / 2000)
    assert not any(key.metric == "part" for key in _figures(run, schema=2)), "holds counted twice"


def test_call_sites_are_summed_by_function_and_lock_class() -> None:
    run = recording("x", runs=1).runs[0]
    site = recording("x").session.sites[0]
    sites = {
        i: msgspec.structs.replace(site, number=i, function=name)
        for i, name in enumerate(("f", "f.constprop.0", "g"))
    }
    counts = [
        msgspec.structs.replace(run.sites[0], site=i, wait_sum=2000 * i, hold_sum=4000)
        for i in range(3)
    ]
    figures = _figures(msgspec.structs.replace(run, sites=counts), sites=sites)
    assert figures[Key("site", "", "f: page", "wait", "ns")] == 1
    assert figures[Key("site", "", "f: page", "hold", "ns")] == 4
    assert figures[Key("site", "", "g: page", "wait", "ns")] == 2


def test_call_sites_of_a_timed_build_are_its_lock_calls() -> None:
    run = run_seen("timed", 0, scale=1, lock_scale=1, seed=1)
    (part,) = parts.of(run)
    rows = figures_of(part, measure(part.series), Known.of(seen("x", runs=1).session))
    sites = {key.statistic: value for key, value, _ in rows if key.metric == "site"}
    assert sites["hold"] == run.timed.series[1].sum / 1000
    assert sites["wait"] == run.timed.series[0].sum / 1000
    unknown = figures_of(part, measure(part.series), Known({}, {}, 5))
    assert not any(key.metric == "site" for key, _, _ in unknown)


def test_the_holds_that_a_timed_build_timed_stand_for_all_of_a_call() -> None:
    run = run_seen("timed", 0, scale=1, lock_scale=1, seed=1)
    (part,) = parts.of(run)
    (call,) = part.timed_calls
    tenth = msgspec.structs.replace(
        call, holds=call.acquisitions // 10, hold_sum=call.hold_sum // 10
    )
    known = Known.of(seen("x", runs=1).session)
    whole, sampled = (
        {
            key.statistic: value
            for key, value, _ in figures_of(each, measure(each.series), known)
            if key.metric == "site"
        }
        for each in (part, dataclasses.replace(part, timed_calls=[tenth]))
    )
    assert sampled["hold"] == pytest.approx(whole["hold"], rel=1e-3)
    assert sampled["wait"] == whole["wait"]


def test_a_run_without_probes_has_its_speed_alone() -> None:
    run = recording("x", runs=1).runs[1]
    assert list(parts.of(run)) == []
    ((key, speed, _),) = workload(run)
    assert key == Key("throughput", "", "", "mean", "ops/s")
    assert speed == pytest.approx(10000 / (run.result.elapsed / 1e9))


def test_what_the_compiler_copied_has_its_source_s_name() -> None:
    assert base_name("f.isra.0.cold") == "f"
    assert base_name("f.part.3") == "f"
    assert base_name("f.other") == "f.other"


def test_a_key_in_words() -> None:
    key = Key("latency", "alloc", "", "p50", "ns")
    assert key.name() == "latency alloc p50"
    assert key.name(statistic=False) == "latency alloc"
    assert Key("throughput", "", "", "mean", "ops/s").name(statistic=False) == "throughput"
