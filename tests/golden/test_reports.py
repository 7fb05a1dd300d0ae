"""The exact text of the reports, and the data behind the figures.

``Z3TRACE_UPDATE_GOLDEN=1`` writes the expected files anew; read the diff.
"""

import json
import os
import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
from checksamples import broken
from samples import recording, seen

from z3trace.analysis import plots
from z3trace.analysis.checks import findings, judgement
from z3trace.analysis.comparing.comparison import Comparison, compare
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.report import checkformats, checkmail, formats, terminal
from z3trace.analysis.report import recording as shown

EXPECTED = Path(__file__).parent / "expected"


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """Of recordings with runs of every way."""
    after = seen("after", scale=0.8, lock_scale=0.7, seed=2)
    return compare(Digest.of(seen("before")), Digest.of(after))


@pytest.fixture(scope="module")
def old() -> Comparison:
    """Of recordings of an older schema: runs with all probes and without any."""
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
    _same("show.txt", shown.text(Digest.of(seen("before")), sites=True))


def test_old_recordings_are_read_as_before(old: Comparison) -> None:
    _same("report-old.txt", formats.render([old], ".txt"))
    _same("compare-old.txt", terminal.render([old]))
    _same("show-old.txt", shown.text(Digest.of(recording("before")), sites=True))


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


def test_data_behind_the_lock_figure(old: Comparison) -> None:
    from z3trace.analysis.plots import locks

    rows = locks.rows(old, "wait")
    assert [(name, side) for name, side, _ in rows] == [("page", "before"), ("page", "after")]
    for _, _, values in rows:
        assert list(values) == sorted(values)
    # Both samples are log-normal around 1000 ns times their scale.
    assert rows[0][2][2] == pytest.approx(1000, rel=0.08)
    assert rows[1][2][2] == pytest.approx(700, rel=0.08)


def test_data_behind_the_ratio_figure(old: Comparison) -> None:
    from z3trace.analysis.plots import ratios

    band = ratios.band(old, "alloc")
    ratio, low, high = band.T
    assert np.all(low <= ratio)
    assert np.all(ratio <= high)
    assert np.all((ratio[:15] > 0.6) & (ratio[:15] < 0.8))


def test_json_fits_its_schema(comparison: Comparison, old: Comparison) -> None:
    import jsonschema

    schema = json.loads((Path(__file__).parents[2] / "docs/report.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for one in (comparison, old, _contradicted()):
        jsonschema.validate(json.loads(formats.render([one], ".json")), schema)


def _contradicted() -> Comparison:
    """The timed build sees holds of 0.7, probes on their class holds of 1.4."""
    after = seen("after", lock_scale=0.7, seed=2)
    longer = {run.number: run for run in seen("after", lock_scale=1.4, seed=2).runs}
    runs = [longer[run.number] if run.way == "lock:page" else run for run in after.runs]
    return compare(Digest.of(seen("before")), Digest.of(msgspec.structs.replace(after, runs=runs)))


def test_a_contradiction_is_the_first_line_of_every_report() -> None:
    found = _contradicted()
    told = (
        r"CONTRADICTION: mean wait for the page lock: ratio 0.7.. \[.*\] by timed build, "
        r"ratio 1.4.. \[.*\] by page probes: no verdict"
    )
    assert re.match(told, terminal.render([found]))
    assert re.match(told, terminal.render([found, found]))
    mail = formats.render([found], ".txt")
    assert re.match(f"- {told}", " ".join(mail.split("\n\n")[1].replace("\n ", "").split("  ")))
    markdown = formats.render([found], ".md").replace("\\", "")
    assert re.match(f"- {told}", markdown.split("\n\n")[1])
    page = formats.render([found], ".html")
    assert re.search(f"<h1>.*</h1>\n<ul><li>{told}", page)
    # The wait is contradicted as well as the hold, and neither is in a verdict.
    assert mail.count("CONTRADICTION") == 2
    assert re.search(r"^hold page mean .* \?$", mail, re.MULTILINE)


LOCK_LINE = re.compile(r"\b(wait|hold) page\b")


def test_every_lock_figure_says_its_way_and_its_share(comparison: Comparison) -> None:
    """In each form: no line of the results without them."""
    rows = formats.render([comparison], ".md").splitlines()
    results = rows[: rows.index("## Where the time goes, for each operation")]
    told = [row for row in results if row.startswith("| ") and LOCK_LINE.search(row)]
    assert told
    assert all(re.search(r"\| timed build \| \\<\d+% \|$", row) for row in told)
    text = terminal.render([comparison], everything=True).splitlines()
    told = [row for row in text if re.match(r"(wait|hold) page +(mean|p\d)", row)]
    assert len(told) >= 6
    assert all(re.search(r"timed build +(<\d+%|0%)", row) for row in told)
    report = json.loads(formats.render([comparison], ".json"))
    locks = [m for m in report["metrics"] if m["metric"] in ("wait", "hold")]
    assert {m["way"] for m in locks} == {"timed"}
    assert all(m["share"]["before"] is not None for m in locks)
    mail = formats.render([comparison], ".txt").splitlines()
    group = mail.index("(timed build)")
    assert all(re.search(r"  <\d+%  \+$", row) for row in mail[group + 1 : group + 3])


def test_data_behind_the_heat_map(old: Comparison) -> None:
    from z3trace.analysis.plots import heat

    share, edges = heat.shares(old.before, "alloc")
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
        "check.ktap",
        "check.txt",
        "lock-order.svg",
    ]
    text = (tmp_path / "check.txt").read_text()
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 72
