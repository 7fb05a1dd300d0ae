"""``--bisect``: exit codes as ``git bisect run`` reads them."""

from collections.abc import Sequence

import click

from z3trace.errors import DONE, VIOLATION

OPTION = "--bisect"
GOOD, BAD, SKIP = 0, 1, 125

option = click.option(
    OPTION,
    is_flag=True,
    help="Exit as 'git bisect run' asks: 0 good, 1 bad, 125 cannot be judged (it does not "
    "build, the guest was lost before anything was found, too much was lost), never above 127.",
)


def given(arguments: Sequence[str], option: str) -> bool:
    """Whether a flag is among z3trace's own words, which end at ``--``."""
    own = list(arguments)
    return option in (own[: own.index("--")] if "--" in own else own)


def asked(arguments: Sequence[str]) -> bool:
    """Whether the command line asks for these codes; also one that is wrong otherwise, which
    must not pass for a bad commit."""
    return given(arguments, OPTION)


def code(status: int) -> int:
    """The exit code of z3trace as git reads it."""
    return {DONE: GOOD, VIOLATION: BAD}.get(status, SKIP)
