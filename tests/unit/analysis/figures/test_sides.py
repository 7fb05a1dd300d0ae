"""Names that tell recordings apart, wherever several are shown."""

import io

import pandas as pd
import pytest
from msgspec import structs
from samples import recording
from strangers import EVILS

from z3trace.analysis.export import openmetrics, tables
from z3trace.analysis.figures import sides
from z3trace.analysis.figures.recording import Digest
from z3trace.printable import visible

#: (labels, paths) of recordings that are exported or compared together.
ALIKE = {
    "one label": (["x", "x"], ["a.z3t", "b.z3t"]),
    "one label and one name": (["x", "x", "x"], ["a/x.z3t", "b/x.z3t", "b/c/x.z3t"]),
    "one file": (["x", "x"], ["x.z3t", "x.z3t"]),
    "no label": (["", ""], ["a.z3t", "b.z3t"]),
    "a label that is another with its file": (["x", "x", "x (a.z3t)"], ["a.z3t", "b.z3t", "c.z3t"]),
    "a number that is another's": (["x #1", "x", "x"], ["c", "x", "x"]),
    "alike when visible": (["a\x1bb", "a\\x1bb"], ["a.z3t", "b.z3t"]),
    "alike in a spreadsheet": (["=1+1", "'=1+1"], ["a.z3t", "b.z3t"]),
    "all unlike": (["before", "after"], ["x.z3t", "x.z3t"]),
    **{f"evil: {name}": ([text, text], ["a.z3t", "b.z3t"]) for name, text in EVILS.items()},
}


def _digests(labels: list[str], paths: list[str]) -> list[Digest]:
    made = [recording(label, runs=2, seed=i) for i, label in enumerate(labels)]
    return [
        Digest.of(structs.replace(one, path=path)) for one, path in zip(made, paths, strict=True)
    ]


@pytest.mark.parametrize("case", ALIKE)
def test_no_two_names_are_alike_in_any_form(case: str) -> None:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    told = sides.told_apart(_digests(*ALIKE[case]))
    names = [digest.session.label for digest in told]
    assert len({visible(name) for name in names}) == len(told)
    assert sides.names(told) == names, "they stay as they are"
    families = list(text_string_to_metric_families(openmetrics.text(told)))
    variants = {s.labels["variant"] for family in families for s in family.samples}
    assert len(variants) == len(told)
    table = pd.read_csv(io.StringIO(tables.csv(told)), keep_default_na=False)
    assert table["side"].nunique() == len(told)
    whole = ["side", "run", "way", "metric", "operation", "lock", "statistic"]
    assert not table.duplicated(whole).any(), "each row is told from every other"


def test_labels_that_differ_stay_as_they_are() -> None:
    assert sides.names(_digests(*ALIKE["all unlike"])) == ["before", "after"]
    assert sides.names(_digests(*ALIKE["one label"])) == ["x (a.z3t)", "x (b.z3t)"]
    assert sides.names(_digests(*ALIKE["one file"])) == ["x (1)", "x (2)"]
    assert sides.names(_digests(*ALIKE["one label and one name"])) == [
        "x (a/x.z3t)",
        "x (b/x.z3t)",
        "x (c/x.z3t)",
    ]


def test_long_names_are_cut_and_still_unlike() -> None:
    long = "stock+" + "+".join(f"000{i}-z3fold-step-{i}-of-the-locking-rework" for i in range(9))
    labels = [long, long + "x", long.replace("0004", "0044"), "short", "\x1b" * 100]
    cut = sides.short(labels)
    assert len(set(cut)) == len(labels)
    assert max(map(len, cut)) <= sides.MOST + 3
    assert cut[3] == "short"
    assert all(name.isprintable() for name in cut)
