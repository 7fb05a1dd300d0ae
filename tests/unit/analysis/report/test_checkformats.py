"""The files of a check's report."""

from checksamples import broken

from z3trace.analysis.checks import judgement
from z3trace.analysis.report import checkformats


def test_the_reference_is_drawn_beside_what_was_found() -> None:
    report = judgement.report(broken("mine"))
    assert list(checkformats.graphs(report)) == ["mine"]
    against = judgement.report(broken("mine"), reference=report.order[:1])
    graphs = checkformats.graphs(against)
    assert list(graphs) == ["reference", "mine"]
    assert len(graphs["reference"]) == 1
