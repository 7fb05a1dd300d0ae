"""What standard output is: how wide, whether it takes colour and Unicode."""

import os
import shutil
import sys


def is_terminal() -> bool:
    return sys.stdout.isatty()


def width() -> int:
    """Columns of the terminal; 0, for as many as it takes, into a pipe or a file."""
    return shutil.get_terminal_size().columns if is_terminal() else 0


def takes_colour() -> bool:
    """A terminal that is not told otherwise, see no-color.org."""
    return is_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def takes_unicode() -> bool:
    return "utf" in (sys.stdout.encoding or "").lower()
