"""Sums over runs."""

from samples import recording

from z3trace.analysis.figures.recording import Digest


def test_counters_of_all_runs_are_summed_by_name() -> None:
    digest = Digest.of(recording("x", runs=10))
    assert digest.operation("alloc") == (20000, 20000, 0)
    assert digest.operation("nothing") == (0, 0, 0)
    assert digest.lock("page") == (20000, 200, 30, 20000)
    assert digest.lock("nothing") == (0, 0, 0, 0)
    assert digest.counts("latency", "alloc").sum() == 20000
    assert not digest.counts("latency", "nothing").any()


def test_a_call_site_s_events_and_means() -> None:
    made = recording("x", runs=2)
    totals = Digest.of(made).site(0)
    assert (totals.acquisitions, totals.contended, totals.locks) == (4000, 40, {"page"})
    assert totals.events == 4000 + 6
    waited = sum(run.sites[0].wait_sum for run in made.runs if run.probed)
    assert totals.of_acquisitions(totals.wait_sum) == waited / 4000
    assert Digest.of(made).site(99).of_acquisitions(5) == 0
