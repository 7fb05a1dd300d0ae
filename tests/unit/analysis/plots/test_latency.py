"""The data behind the latency plots."""

import msgspec
from samples import recording

from z3trace.analysis.comparing.comparison import compare
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.plots import latency


def test_operations_that_one_side_lacks_are_not_drawn() -> None:
    made = recording("before")
    more = [
        *made.session.operations,
        msgspec.structs.replace(made.session.operations[0], name="free"),
    ]
    session = msgspec.structs.replace(made.session, operations=more)
    sides = Digest.of(msgspec.structs.replace(made, session=session)), Digest.of(recording("after"))
    comparison = compare(*sides, allow_mismatch=True)
    assert latency.operations(comparison) == ["alloc"]
    (panel,) = [axis for axis in latency.ecdf(comparison).axes if axis.get_visible()]
    assert panel.get_title() == "alloc, 20000 and 20000 calls"
    assert [line.get_label() for line in panel.lines] == ["before", "after"]
    for line in panel.lines:
        assert float(line.get_ydata()[-1]) == 1
