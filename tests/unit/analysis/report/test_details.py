"""The tables behind the verdicts."""

import pytest
from samples import recording

from z3trace.analysis.comparing.comparison import Comparison, compare
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.report import details


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(Digest.of(recording("before")), Digest.of(recording("after", seed=2)))


def test_every_table_is_whole(comparison: Comparison) -> None:
    tables = [*details.of(comparison), *details.behind(comparison)]
    for table in tables:
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.header)}
        assert table.words < len(table.header)
    assert len({table.title for table in tables}) == len(tables)


def test_the_numbers_behind_the_plots_are_all_there(comparison: Comparison) -> None:
    tables = details.behind(comparison)
    assert [table.title for table in tables] == ["latency alloc", "wait page", "hold page"]
    for table in tables:
        assert sum(int(row[1]) for row in table.rows) == 20000
        edges = [int(row[0]) for row in table.rows]
        assert edges == sorted(edges)


def test_locks_are_told_by_operation(comparison: Comparison) -> None:
    (row,) = details.locks(comparison).rows
    assert row[:5] == ["page", "1", "1", "1.00 %", "1.00 %"]
