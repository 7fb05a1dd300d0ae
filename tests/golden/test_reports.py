"""The exact text of the reports, and the data behind the figures.

``Z3TRACE_UPDATE_GOLDEN=1`` writes the expected files anew; read the diff.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from checksamples import broken
from samples import recording

from z3trace.analysis import plots
from z3trace.analysis.checks import findings, judgement
from z3trace.analysis.comparing.comparison import Comparison, compare
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.report import checkformats, checkmail, formats, terminal
from z3trace.analysis.report import recording as shown

EXPECTED = Path(__file__).parent / "expected"


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(Digest.of(recording("before")), Digest.of(recording("after", scale=0.7, seed=2)))


def _same(name: str, text: str) -> None:
    path = EXPECTED / name
    if os.environ.get("Z3TRACE_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("suffix", [".txt", ".md", ".json"])
def test_report(comparison: Comparison, suffix: str) -> None:
    _same(f"report{suffix}", formats.render([comparison], suffix))


def test_terminal(comparison: Comparison) -> None:
    _same("compare.txt", terminal.render([comparison]))


def test_show() -> None:
    _same("show.txt", shown.text(Digest.of(recording("before")), sites=True))


def test_mail_is_ascii_and_72_columns(comparison: Comparison) -> None:
    text = formats.render([comparison], ".txt")
    assert text.isascii()
    assert "\t" not in text
    assert max(map(len, text.splitlines())) <= 72


def test_json_has_the_promised_fields(comparison: Comparison) -> None:
    report = json.loads(formats.render([comparison], ".json"))
    fields = {
        "metric",
        "operation",
        "lock",
        "statistic",
        "unit",
        "before",
        "after",
        "ratio",
        "ci",
        "n_before",
        "n_after",
        "verdict",
    }
    for metric in report["metrics"]:
        assert fields <= set(metric)
        assert len(metric["ci"]) == 2


def test_strangers_text_stays_text() -> None:
    evil = "<script>alert(1)</script>|`x`"
    found = compare(Digest.of(recording(evil)), Digest.of(recording("after", seed=2)))
    page = formats.render([found], ".html")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>" not in formats.render([found], ".md")
    assert max(map(len, formats.render([found], ".txt").splitlines())) <= 72


def test_html_needs_no_network(comparison: Comparison) -> None:
    page = formats.render([comparison], ".html")
    for word in ('src="http', 'href="http', "@import", "url(http"):
        assert word not in page


def test_svg_is_byte_stable(comparison: Comparison, tmp_path: Path) -> None:
    plots.write(comparison, tmp_path / "one")
    plots.write(comparison, tmp_path / "two")
    names = sorted(path.name for path in (tmp_path / "one").glob("*.svg"))
    assert len(names) == 6
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_data_behind_the_lock_figure(comparison: Comparison) -> None:
    from z3trace.analysis.plots import locks

    rows = locks.rows(comparison, "wait")
    assert [(name, side) for name, side, _ in rows] == [("page", "before"), ("page", "after")]
    for _, _, values in rows:
        assert list(values) == sorted(values)
    # Both samples are log-normal around 1000 ns times their scale.
    assert rows[0][2][2] == pytest.approx(1000, rel=0.08)
    assert rows[1][2][2] == pytest.approx(700, rel=0.08)


def test_data_behind_the_ratio_figure(comparison: Comparison) -> None:
    from z3trace.analysis.plots import ratios

    band = ratios.band(comparison, "alloc")
    ratio, low, high = band.T
    assert np.all(low <= ratio)
    assert np.all(ratio <= high)
    assert np.all((ratio[:15] > 0.6) & (ratio[:15] < 0.8))


def test_json_fits_its_schema(comparison: Comparison) -> None:
    import jsonschema

    schema = json.loads((Path(__file__).parents[2] / "docs/report.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(formats.render([comparison], ".json")), schema)


def test_data_behind_the_heat_map(comparison: Comparison) -> None:
    from z3trace.analysis.plots import heat

    share, edges = heat.shares(comparison.before, "alloc")
    assert share.shape == (edges.size - 1, 10)
    assert np.allclose(share.sum(axis=0), 1)
    assert list(edges) == sorted(edges)
    middle = np.searchsorted(edges, 1000) - 1
    # The most common latency of every run is within an octave of 1000 ns.
    assert np.all(np.abs(share.argmax(axis=0) - middle) <= 2)


def test_check_text() -> None:
    _same("check.txt", checkmail.render(judgement.report(broken("page-lock"))))


def test_check_json_fits_its_schema() -> None:
    """The schema in docs is that of the types, and a report fits it."""
    import jsonschema
    import msgspec

    schema = msgspec.json.schema(findings.Report)
    text = json.dumps(schema, indent=1) + "\n"
    path = Path(__file__).parents[2] / "docs/check.schema.json"
    if os.environ.get("Z3TRACE_UPDATE_GOLDEN"):
        path.write_text(text)
    assert path.read_text() == text
    report = json.loads(checkformats.as_json(judgement.report(broken())))
    jsonschema.validate(report, schema)
    keys = {"rule", "lock", "operation", "function", "offset", "file", "line", "count"}
    assert keys <= set(report["violations"][0])


def test_check_is_written_in_every_form(tmp_path: Path) -> None:
    written = checkformats.write_all(judgement.report(broken()), tmp_path)
    assert sorted(path.name for path in written) == [
        "check.html",
        "check.json",
        "check.txt",
        "lock-order.svg",
    ]
    text = (tmp_path / "check.txt").read_text()
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 72
