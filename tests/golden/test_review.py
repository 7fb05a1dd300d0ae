"""The exact text of a review, and what holds for any."""

import os
import re
from pathlib import Path

import pytest
from checksamples import broken, clean
from msgspec import structs
from reviewsamples import text
from samples import recording

from z3trace.analysis.checks import judgement
from z3trace.analysis.comparing.comparison import Comparison, compare
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.report import review
from z3trace.analysis.report.remarks import Remark
from z3trace.analysis.report.review import Review

EXPECTED = Path(__file__).parent / "expected/review.txt"


@pytest.fixture(scope="module")
def looped() -> Comparison:
    """The page lock is taken 57 times in a call of alloc, once before."""
    after = recording("after", scale=2.2, seed=2)
    runs = [
        structs.replace(
            run, sites=[structs.replace(site, acquisitions=57 * 2000) for site in run.sites]
        )
        for run in after.runs
    ]
    return compare(Digest.of(recording("before")), Digest.of(structs.replace(after, runs=runs)))


def _review(comparison: Comparison | None = None, **changes: object) -> Review:
    fields: dict[str, object] = {
        "target": "z3fold",
        "texts": [text()],
        "base": "the file z3fold.c",
        "command": ["z3trace", "review", "p.eml", "--base", "z3fold.c", "-o", "out"],
        "link": "the archive, message 1",
        "commit": "0" * 40,
        "notes": ["mm/z3fold.c is blob d2e8aec, and with the patch 7ad70fa, as it says"],
        "before": judgement.report(clean("base")),
        "after": judgement.report(broken("patched")),
        "comparison": comparison,
        "left": ["The budget of 15 minutes was over before the mixes 'drain' and 'tiny pool'."],
    }
    return Review(**{**fields, **changes})  # type: ignore[arg-type]


def test_review(looped: Comparison) -> None:
    made = review.render(_review(looped))
    if os.environ.get("Z3TRACE_UPDATE_GOLDEN"):
        EXPECTED.write_text(made)
    assert made == EXPECTED.read_text()


def test_it_is_ascii_and_72_columns_beyond_the_quote(looped: Comparison) -> None:
    made = review.render(_review(looped))
    assert made.isascii()
    said = [line for line in made.splitlines() if not line.startswith("> ")]
    assert max(map(len, said)) <= 72
    assert not any("\t" in line for line in said)


def test_the_patch_is_quoted_line_by_line() -> None:
    quoted = [
        line.removeprefix("> ").removeprefix(">")
        for line in review.render(_review()).splitlines()
        if line.startswith(">")
    ]
    wanted = [line.text.replace("ö", "?").replace("ß", "?").rstrip() for line in text().lines]
    assert quoted == wanted


def test_a_finding_stands_below_its_line(looped: Comparison) -> None:
    """Line 100 of z3fold.c: 'taken at' of held-at-return."""
    lines = review.render(_review(looped)).splitlines()
    at = lines.index("> +\t\tz3fold_page_lock(zhdr);")
    below = " ".join(lines[at + 1 : lines.index(">  \t}")])
    assert "(held-at-return): the page lock, taken at z3fold.c:100" in below
    assert "taken so often in one call: 57 for alloc (1 before). In alloc, 57 of" in below


def test_a_finding_in_lines_that_are_not_quoted_stands_at_its_function() -> None:
    places = {
        (remark.line, where.exact): text().lines[where.line].function
        for remark, where in review.spots(_review())
        if where
    }
    assert places[100, True] == "z3fold_alloc"
    check = broken("patched")
    sites = [structs.replace(site, line=site.line + 50) for site in check.header.sites]
    moved = structs.replace(check, header=structs.replace(check.header, sites=sites))
    found = review.spots(_review(after=judgement.report(moved)))
    assert [(r.line, w is not None and w.exact) for r, w in found] == [(150, False), (150, False)]
    assert "z3fold.c:150: A lock that was taken" in review.render(
        _review(after=judgement.report(moved))
    )


def test_a_finding_of_no_quoted_function_stands_at_the_end() -> None:
    check = broken("patched")
    sites = [structs.replace(site, file="other.c") for site in check.header.sites]
    moved = structs.replace(check, header=structs.replace(check.header, sites=sites))
    made = review.render(_review(after=judgement.report(moved)))
    assert "Found in code that the patch does not show" in made
    assert made.index("other.c:100") > made.rindex("\n> ")


def test_what_the_base_has_too_is_not_the_patchs() -> None:
    made = review.render(_review(before=judgement.report(broken("base"))))
    assert "Not of this patch, for the base has it too: held-at-return, page" in made
    assert "Call chain" not in made


def test_there_is_never_a_tag() -> None:
    made = review.render(_review(notes=["Reviewed-by: x", "Tested-by: y"]))
    assert not re.search(r"^\S*-by:", made, re.M)
    assert isinstance(Remark(("Acked-by: z",)).paragraphs, tuple)


def test_strangers_text_stays_text() -> None:
    evil = structs.replace(
        text(), subject="[PATCH] x\nBcc: y\x1b[31m", wrote="On now,\x1b a wrote:"
    )
    made = review.render(_review(texts=[evil]))
    assert "\x1b" not in made
    assert not re.search(r"^Bcc:", made, re.M)
