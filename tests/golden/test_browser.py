"""The HTML report in a real browser: it renders, sorts, opens, and anybody can use it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from checksamples import broken
from samples import recording

from z3trace.analysis.checks import judgement
from z3trace.analysis.comparing.comparison import compare
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.report import checkformats, formats

pytest.importorskip("playwright.sync_api")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
EVIL = "<script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = compare(Digest.of(recording(EVIL)), Digest.of(recording("after", scale=0.7, seed=2)))
    path = tmp_path_factory.mktemp("html") / "report.html"
    formats.write_report([found], path)
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if not chromium:
        message = "no chromium is installed"
        if os.environ.get("Z3TRACE_REQUIRE"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        yield launched
        launched.close()


@contextmanager
def _opened(browser: Browser, path: Path) -> Iterator[Page]:
    """A page that must have nothing to say on its console."""
    opened = browser.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.goto(path.as_uri())
    yield opened
    assert said == []
    opened.close()


@pytest.fixture(scope="module")
def page(browser: Browser, report: Path) -> Iterator[Page]:
    with _opened(browser, report) as opened:
        yield opened


def test_it_renders_and_strangers_text_stays_text(page: Page) -> None:
    assert page.locator("h1").inner_text().startswith("z3fold: after compared with")
    assert EVIL in page.locator("h1").inner_text()
    assert page.title() != "owned"
    assert page.locator("figure svg").count() == 6
    for figure in page.locator("figure svg").all():
        box = figure.bounding_box()
        assert box is not None
        assert box["width"] > 200


def test_it_sorts_by_any_column_and_back(page: Page) -> None:
    table = page.locator("table.sortable").first
    button = table.locator("th button").nth(2)

    def keys() -> list[float]:
        cells = table.locator("tbody tr td:nth-child(3)")
        return [float(cell.get_attribute("data-key") or "nan") for cell in cells.all()]

    button.click()
    assert keys() == sorted(keys())
    button.click()
    assert keys() == sorted(keys(), reverse=True)
    assert table.locator("th").nth(2).get_attribute("aria-sort") == "descending"


def test_every_section_opens(page: Page) -> None:
    summaries = page.locator("main > details > summary")
    assert summaries.count() >= 6
    for summary in summaries.all():
        summary.click()
        assert summary.locator("xpath=..").get_attribute("open") is not None
    inner = page.locator("details details > summary").first
    inner.click()
    assert inner.locator("xpath=..").locator("tbody tr").count() > 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_passes_an_accessibility_check(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_phone_does_not_scroll_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 375, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_a_check(browser: Browser, tmp_path: Path, scheme: str) -> None:
    checkformats.write_all(judgement.report(broken(EVIL), "", "lost"), tmp_path)
    with _opened(browser, tmp_path / "check.html") as page:
        page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
        assert EVIL in page.locator("h1").inner_text()
        assert page.title() != "owned"
        summaries = page.locator("main > details > summary")
        assert summaries.count() >= 2
        for summary in summaries.all():
            summary.click()
        assert page.get_by_text("z3fold_alloc+0x0").first.is_visible()
        box = page.locator("figure svg").bounding_box()
        assert box is not None
        assert box["width"] > 200
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        page.set_viewport_size({"width": 375, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
