"""Types of the fields of what is read and written, with their bounds, see ``limits``."""

from typing import Annotated

from msgspec import Meta, Struct

from z3trace.data import limits
from z3trace.data.buckets import BUCKETS

#: Unsigned, and below 2**63: the decoder bounds no further, and nothing real is larger.
U64 = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
Name = Annotated[str, Meta(max_length=limits.NAME)]
Word = Annotated[str, Meta(max_length=limits.WORD)]
Text = Annotated[str, Meta(max_length=limits.TEXT)]
Bucket = Annotated[int, Meta(ge=0, lt=BUCKETS)]
#: By which a call site is known in a recording.
SiteNumber = Annotated[int, Meta(ge=0, lt=limits.SITES)]
#: ``[[index, count], …]`` in rising order.
Buckets = Annotated[list[tuple[Bucket, U64]], Meta(max_length=BUCKETS)]


class Record(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything in a file of ours."""
