"""What a recording can hold of the words that a user gives: looked at before it begins."""

from collections.abc import Sequence
from pathlib import Path

from z3trace.data import limits
from z3trace.errors import UsageError


def require_recordable(label: str, command: Sequence[str], workload: str) -> None:
    """UsageError if a recording cannot hold these."""
    if len(encodable(label)) > limits.NAME:
        raise UsageError(f"a label has at most {limits.NAME} characters, this has {len(label)}")
    lengths = [len(encodable(word)) for word in (*command, workload)]
    if (
        len(lengths) > limits.COMMAND
        or max(lengths) > limits.TEXT
        or sum(lengths) > limits.COMMAND_CHARACTERS
    ):
        raise UsageError(
            f"the command is too long for a recording: {len(command)} words, "
            f"{sum(lengths)} characters",
            "put it into a script",
        )


def label_of(path: Path) -> str:
    """What a recording without a label is called: its file's name without what tells that
    it is a recording."""
    name = path.name
    for suffix in (".gz", ".z3t"):
        shorter = name.removesuffix(suffix)
        name = shorter or name
    return name


def encodable(word: str) -> str:
    """A word of a command line as text: bytes that are none are shown as escapes."""
    return word.encode(errors="surrogateescape").decode(errors="backslashreplace")
