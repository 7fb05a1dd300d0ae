"""Whether the site is whole: it asks no other machine for anything, and passes axe-core.

``make site`` runs it on build/site, in a Chromium that has no network.
"""

import re
import shutil
import sys
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

SITE = Path(__file__).parents[1] / "build/site"
_ASKED = re.compile(r'<(?:script|img|iframe|link)\b[^>]*(?:src|href)="(?:https?:)?//[^"]*"')
#: Rule of axe -> why it is not kept here; all of them are about the markup of the theme, furo.
_THEME = {
    "aria-required-attr": "captions of the sidebar are headings without a level",
    "landmark-unique": "both sidebars are asides without a name",
    "region": "the link to a page's source is in no landmark",
    "page-has-heading-one": "the page of the search gets its heading when it has found something",
    "scrollable-region-focusable": "wide examples; Chromium scrolls them by keyboard",
}
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def main() -> int:
    """Say what is wrong; 0 if nothing is."""
    pages = sorted(SITE.glob("*.html"))
    wrong = [
        f"{page.name}: {found[0]}"
        for page in pages
        for found in [_ASKED.search(page.read_text())]
        if found
    ]
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=shutil.which("chromium"), args=_ARGUMENTS)
        for scheme in ("light", "dark"):
            context = chromium.new_context(offline=True, color_scheme=scheme)
            for page in pages:
                opened = context.new_page()
                opened.goto(page.as_uri())
                wrong += [
                    f"{page.name}, {scheme}: {one['id']}: {one['nodes'][0]['html'][:120]}"
                    for one in Axe().run(opened).response["violations"]
                    if one["id"] not in _THEME
                ]
                opened.close()
        chromium.close()
    print(
        "\n".join(wrong) or f"{len(pages)} pages: nothing asked of a network, axe says nothing new"
    )
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
