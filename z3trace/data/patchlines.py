"""The lines of a patch, and where they are in the source that it was applied to: what a
reply quotes, and below which it remarks."""

from typing import Literal

from msgspec import Struct


class PatchLine(Struct, frozen=True):
    """One line as the patch has it.

    *line*: its number in the source with all patches, from 1; of a removed line, that of
    the line that follows it; 0 for a header, or where later patches removed it.
    *hunk*: the number of its hunk in the patch, from 1; 0 outside of hunks.  *function*: in
    which the line is, such as ``z3fold_alloc``; empty if it is in none.
    """

    text: str
    kind: Literal["header", "hunk", "context", "added", "removed"]
    path: str = ""
    line: int = 0
    hunk: int = 0
    function: str = ""


class PatchText(Struct, frozen=True):
    """A patch as it is quoted: *subject*, *sender*, *wrote* and *message* (its Message-ID) are
    those of its mail, see ``kernels.mail``; empty if it came in none."""

    name: str
    subject: str
    sender: str
    wrote: str
    lines: list[PatchLine]
    message: str = ""
