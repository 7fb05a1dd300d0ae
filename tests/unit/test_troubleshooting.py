"""What the documents say of doctor's checks and of errors is what z3trace says."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PREFLIGHT = (ROOT / "z3trace/probing/preflight.py").read_text()
#: By its name: every check, the ones made in a loop too.
CHECKS = sorted({*re.findall(r'Check\("([A-Za-z_ ]+)"', PREFLIGHT), "DEBUG_SPINLOCK", "LOCKDEP"})


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_of_doctor_has_a_row(check: str) -> None:
    text = (ROOT / "docs/troubleshooting.md").read_text()
    assert re.search(rf"^\| [^|]*`{check}`[^|]* \|", text, re.M)


def test_the_questions_quote_errors_that_there_are() -> None:
    source = "".join(path.read_text() for path in ROOT.glob("z3trace/**/*.py"))
    source += "".join(path.read_text() for path in ROOT.glob("analysis/**/*.py"))
    text = (ROOT / "docs/faq.md").read_text()
    for words in (
        "no target",
        "exists",
        "one recording cannot be compared",
        "NOTHING WAS RECORDED",
        "the target's functions were not called",
        "this python has no bcc",
    ):
        assert words in text
        assert words in source
