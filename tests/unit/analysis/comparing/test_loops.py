"""A lock call that moved into a loop is found by its acquisitions in a call."""

import pytest
from msgspec import structs
from samples import recording

from z3trace.analysis.comparing.comparison import Comparison, compare
from z3trace.analysis.comparing.loops import loops, takings
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.report import details, headline
from z3trace.data.model import Recording


def _taking(label: str, times: int, seed: int = 1) -> Recording:
    """Alloc takes the page lock so often in one call."""
    made = recording(label, runs=5, seed=seed)
    runs = [
        structs.replace(
            run, sites=[structs.replace(site, acquisitions=2000 * times) for site in run.sites]
        )
        for run in made.runs
    ]
    return structs.replace(made, runs=runs)


def _compared(before: int, after: int) -> Comparison:
    return compare(Digest.of(_taking("before", before)), Digest.of(_taking("after", after, 2)))


def test_a_call_is_counted_for_its_operation() -> None:
    (found,) = takings(Digest.of(_taking("x", 57)))
    assert (found.operation, found.lock, found.each, found.site.line) == ("alloc", "page", 57, 100)


@pytest.mark.parametrize(
    ("before", "after", "told"), [(1, 57, 1), (1, 1, 0), (3, 57, 0), (57, 1, 0)]
)
def test_only_what_was_no_loop_before_is_told(before: int, after: int, told: int) -> None:
    assert len(loops(_compared(before, after))) == told


def test_it_is_in_the_headline_and_in_a_table() -> None:
    comparison = _compared(1, 57)
    assert headline.claims(comparison)[0] == (
        "LOOP: alloc takes the page lock 57 times a call at z3fold.c:100, once before (all probes)"
    )
    (row,) = details.taken(comparison).rows
    assert row[:4] == ["alloc: page", "1", "57", "57.000"]


def test_a_function_that_carries_no_operation_counts_for_none() -> None:
    made = _taking("x", 57)
    sites = [structs.replace(site, function="do_compact_page") for site in made.session.sites]
    other = structs.replace(made, session=structs.replace(made.session, sites=sites))
    digest = Digest.of(other)
    assert not list(takings(digest))
    assert not [key for key in digest.keys if key.metric == "taken"]
