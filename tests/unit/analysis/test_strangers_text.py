"""Every renderer on samples with evil text in every field: nothing of it is obeyed."""

import csv
import io
import re
from collections.abc import Callable
from functools import cache

import msgspec
import pytest
from checksamples import broken
from markdown_it import MarkdownIt
from samples import recording
from strangers import EVILS, spoiled

from z3trace.analysis import plots
from z3trace.analysis.checks import judgement
from z3trace.analysis.checks.findings import Report
from z3trace.analysis.comparing.comparison import Comparison, compare_all
from z3trace.analysis.comparing.trend import trends
from z3trace.analysis.export import tables
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.plots import lockorder, style, trendplot
from z3trace.analysis.report import (
    checkhtml,
    checkmail,
    formats,
    histograms,
    terminal,
    trend,
)
from z3trace.analysis.report import recording as shown
from z3trace.analysis.report.terminal import Screen
from z3trace.data.counts import Nesting
from z3trace.data.model import Recording
from z3trace.errors import IncomparableError
from z3trace.printable import visible

_KEPT = frozenset({"bucket_scheme", "created", "started"})


def _evil(seed: int, evil: str, *, attached: bool) -> Digest:
    """A recording with *evil* in every text; *attached*: whether its probes were placed."""
    made = recording(evil, runs=5, seed=seed)
    session = spoiled(made.session, evil, keep=_KEPT)
    if not attached:
        sites = [
            msgspec.structs.replace(site, attached=False, reason=evil) for site in session.sites
        ]
        first = msgspec.structs.replace(session.operations[0], attached=False, reason=evil)
        session = msgspec.structs.replace(session, sites=sites, operations=[first])
    nesting = [Nesting(held="page", acquired="pool", count=seed)]
    runs = [
        spoiled(
            msgspec.structs.replace(run, nesting=nesting if run.probed else []), evil, keep=_KEPT
        )
        for run in made.runs
    ]
    return Digest.of(Recording(path="x.z3t", session=session, runs=runs, complete=False))


@cache
def _compared(evil: str, attached: bool) -> list[Comparison]:
    before = _evil(1, evil, attached=attached)
    others = [_evil(seed, f"{evil}{seed}", attached=attached) for seed in (2, 3)]
    return compare_all(before, others, allow_mismatch=True)


def _digests(found: list[Comparison]) -> list[Digest]:
    return [found[0].before, *(comparison.after for comparison in found)]


def _uncoloured(text: str) -> str:
    return re.sub(r"^\x1b\[3[12]m(.*)\x1b\[0m$", r"\1", text, flags=re.M)


def _refused(found: list[Comparison]) -> str:
    with pytest.raises(IncomparableError) as first:
        trends(_digests(found))
    with pytest.raises(IncomparableError) as other:
        compare_all(found[0].before, [found[0].after])
    messages = (first.value.message, other.value.message)
    return "\n".join(visible(message, keep="\n") for message in messages)


TEXTS: dict[str, Callable[[list[Comparison]], str]] = {
    "show": lambda found: shown.text(found[0].before, sites=True),
    "histograms": lambda found: histograms.render(
        [(digest.session.label, digest) for digest in _digests(found)], unicode=True
    ),
    "compare": lambda found: terminal.render(found[:1], everything=True),
    "narrow": lambda found: terminal.render(found[:1], screen=Screen(60)),
    "coloured": lambda found: _uncoloured(terminal.render(found[:1], screen=Screen(colour=True))),
    "several": lambda found: terminal.render(found, everything=True),
    "trend": lambda found: trend.render(
        trends(_digests(found), allow_mismatch=True), _digests(found)
    ),
    ".txt": lambda found: formats.render(found[:1], ".txt"),
    ".txt of several": lambda found: formats.render(found, ".txt"),
    ".md": lambda found: formats.render(found[:1], ".md"),
    ".csv": lambda found: tables.csv(_digests(found)),
    "refused": _refused,
}


def _raw(text: str) -> set[str]:
    return {char for char in text if not char.isprintable() and char != "\n"}


@pytest.mark.parametrize("attached", [True, False])
@pytest.mark.parametrize("evil", EVILS)
@pytest.mark.parametrize("renderer", TEXTS)
def test_nothing_is_raw_in_a_text(renderer: str, evil: str, attached: bool) -> None:
    text = TEXTS[renderer](_compared(EVILS[evil], attached))
    assert text
    assert _raw(text) == set()
    assert not any(line.startswith("SPOOFED") for line in text.splitlines())
    if renderer == ".txt":
        # Words of a command are never cut.
        prose = text.split("To repeat this")[0]
        assert max(map(len, prose.splitlines())) <= 72
        assert prose.isascii()


def test_it_is_made_visible_and_not_left_out() -> None:
    found = _compared(EVILS["escape"], True)
    for name in ("show", "compare", "several", "trend", ".txt"):
        assert "\\x1b[31mred" in TEXTS[name](found), name
    assert "\\\\x1b\\[31mred" in TEXTS[".md"](found)


ALL = " ".join(EVILS.values())


def test_a_page_and_its_plots_obey_nothing() -> None:
    page = formats.render(_compared(ALL[:250], False)[:1], ".html")
    assert _raw(page) == set()
    assert "<img src=x" not in page
    assert page.count("<script>") == 1, "ours"
    assert "\\x1b[31mred" in page


@pytest.mark.parametrize("evil", ["escape", "lines", "bidi", "math", "markup"])
def test_a_plot_shows_every_text_as_text(
    evil: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A label may look like mathematics, too, which is an error if it is none."""
    found = _compared(EVILS[evil], True)
    path = tmp_path_factory.mktemp("plots") / "t.svg"
    trendplot.draw(trends(_digests(found), allow_mismatch=True), _digests(found), path)
    for text in (path.read_text(), _svg(found[0], "locks")):
        assert _raw(text) == set()
        assert "<img" not in text
        assert "<script" not in text


@cache
def _long() -> list[Comparison]:
    """Labels as five patches make them, which differ at their ends only."""
    made = [recording(f"{EVILS['long']}{i}", runs=5, seed=i) for i in range(3)]
    before, *others = map(Digest.of, made)
    return compare_all(before, others)


@pytest.mark.parametrize("name", plots.figures())
def test_a_long_label_leaves_room_for_the_picture(name: str) -> None:
    shown = re.findall(r"<text[^>]*>([^<]*)</text>", _svg(_long()[0], name))
    assert shown
    assert max(map(len, shown)) <= style.WIDEST
    labels = {word for text in shown for word in text.split() if word.startswith("stock+")}
    assert all(len(label) <= 44 for label in labels)
    assert len(labels) in (0, 2), "and they are told apart"


@pytest.mark.parametrize("renderer", ["compare", "several", "histograms", "trend"])
def test_a_long_label_does_not_widen_a_table(renderer: str) -> None:
    text = TEXTS[renderer](_long())
    heads = [line for line in text.splitlines() if "stock+" in line and "note:" not in line]
    assert heads
    for line in heads:
        assert all(len(word) <= 44 for word in line.split() if word.startswith("stock+")), line


def _svg(comparison: Comparison, name: str) -> str:
    figure = plots.figures()[name](comparison)
    text = style.svg(figure)
    style.close(figure)
    return text


@pytest.mark.parametrize(
    "name", ["latency-ecdf", "latency-percentiles", "ratios", "latency-by-run", "lock-order"]
)
def test_the_other_plots(name: str) -> None:
    text = _svg(_compared(ALL[:250], True)[0], name)
    assert _raw(text) == set()
    assert "\\x1b[31mred" in text


def _report(evil: str) -> Report:
    made = broken()
    counts = msgspec.structs.replace(made.progress, operations={evil[:128]: 3, "free": 1})
    header = msgspec.structs.replace(made.header, not_judged={evil: evil})
    check = msgspec.structs.replace(made, header=header, progress=counts)
    spoilt = spoiled(check, evil, keep=_KEPT | {"rule", "type"})
    console = f"BUG: {evil}\n Call Trace: {evil}"
    return judgement.report(spoilt, console, f"the guest was lost: {evil}", [])


@pytest.mark.parametrize("evil", EVILS)
def test_a_check_obeys_nothing(evil: str) -> None:
    report = _report(EVILS[evil])
    figure = lockorder.draw({evil: {(e.held, e.acquired): e.count for e in report.order}})
    drawing = style.svg(figure)
    style.close(figure)
    page, text = checkhtml.render(report, drawing), checkmail.render(report)
    assert _raw(page) == _raw(text) == _raw(drawing) == set()
    assert not re.search(r"<(script|img)", page)
    assert text.isascii()
    assert max(map(len, text.split("To reproduce")[0].splitlines())) <= 72


@pytest.mark.parametrize("attached", [True, False])
@pytest.mark.parametrize("evil", EVILS)
def test_markdown_has_no_link_no_mention_no_markup(evil: str, attached: bool) -> None:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    text = TEXTS[".md"](_compared(EVILS[evil], attached))
    tokens = [inner for token in parser.parse(text) for inner in (token.children or [token])]
    kinds = {token.type for token in tokens}
    assert not kinds & {"link_open", "image", "html_inline", "html_block", "s_open", "em_open"}
    for token in tokens:
        if token.type == "text":
            live = re.search(r"@\w|://|www\.|#\d|\bGH-\d|\w:\w+@", token.content, re.I)
            assert live is None, token.content
    strong = [
        tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "strong_open"
    ]
    assert set(strong) <= {"better", "worse"}


@pytest.mark.parametrize("evil", EVILS)
def test_no_cell_is_a_formula_and_numbers_stay_numbers(evil: str) -> None:
    found = _compared(EVILS[evil], True)
    rows = list(csv.reader(io.StringIO(TEXTS[".csv"](found))))
    assert rows[0] == [
        "side",
        "run",
        "seed",
        "way",
        "metric",
        "operation",
        "lock",
        "statistic",
        "unit",
        "value",
    ]
    for side, run, seed, *words, value in rows[1:]:
        for word in (side, *words):
            assert not word.startswith(tuple("=+-@\t\r\uff1d")), word
        assert float(value) >= 0
        assert (int(run), int(seed)) >= (0, 0)
    plain = list(csv.reader(io.StringIO(tables.csv([Digest.of(recording("before"))]))))
    assert plain[1][0] == "before", "nothing else is changed"
