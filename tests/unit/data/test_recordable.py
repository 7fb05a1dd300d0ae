"""What a recording is called when nobody says it."""

from pathlib import Path

import pytest

from z3trace.data.recordable import label_of


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("before.z3t", "before"),
        ("v6.1.2-before.z3t", "v6.1.2-before"),
        ("v6.1.2-before.z3t.gz", "v6.1.2-before"),
        ("a.b.c", "a.b.c"),
        ("x.gz", "x"),
        (".z3t", ".z3t"),
        (".z3t.gz", ".z3t"),
        ("..z3t", "."),
        ("z3t", "z3t"),
        ("x.z3t.z3t", "x.z3t"),
        ("a b,c:d.z3t", "a b,c:d"),
    ],
)
def test_a_name_is_cut_only_at_what_says_that_it_is_a_recording(name: str, label: str) -> None:
    assert label_of(Path("some.where/else") / name) == label
