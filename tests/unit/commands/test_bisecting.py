"""Exit codes for ``git bisect run``."""

import pytest

from z3trace import cli
from z3trace.commands import bisecting


@pytest.mark.parametrize(
    ("status", "code"),
    [(0, 0), (3, 1), (1, 125), (2, 125), (4, 125), (5, 125), (6, 125), (128, 125), (130, 125)],
)
def test_codes(status: int, code: int) -> None:
    assert bisecting.code(status) == code


def test_a_wrong_command_line_is_no_bad_commit(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["check", "--no-such-option", "--bisect"]) == 125
    assert cli.run(["check", "--no-such-option"]) == 2
    assert cli.run(["review", "--bisect"]) == 125


def test_what_a_command_of_the_user_has_does_not_count() -> None:
    assert not bisecting.asked(["check", "--", "run", "--bisect"])
    assert bisecting.asked(["check", "--bisect", "--", "run"])
