"""Blobs: the names that git gives to the contents of files, as patches quote them."""

import hashlib
import re

#: The shortest name that is taken for one, and the longest that is shown.
_SHORTEST = 7
_SHOWN = 12
INDEX = re.compile(rb"^index ([0-9a-f]{7,64})\.\.([0-9a-f]{7,64})(?: [0-7]{6})?[ \t\r]*$", re.M)
_NOTHING = re.compile(r"0+")


def name(content: bytes, like: str = "") -> str:
    """The whole name of a blob; SHA-256 if *like* is as long as such a name is."""
    make = hashlib.sha256 if len(like) > hashlib.sha1().digest_size * 2 else hashlib.sha1  # noqa: S324 - git's
    return make(b"blob %d\0" % len(content) + content).hexdigest()


def is_of(content: bytes, short: str) -> bool:
    """Whether *short* is the beginning of the name of *content*."""
    return len(short) >= _SHORTEST and name(content, short).startswith(short)


def held_against(path: str, before: bytes, after: bytes, index: tuple[str, str]) -> str:
    """Whether a file is the blobs that the patch's *index* line says, in one sentence."""
    old, new = index
    base = "" if _NOTHING.fullmatch(old) or is_of(before, old) else name(before, old)[:_SHOWN]
    result = "" if is_of(after, new) else name(after, new)[:_SHOWN]
    if base:
        made = f"{result} and not {new}" if result else f"{new}, as it says"
        return f"{path} is blob {base} and not {old}, for which the patch was made; with it, {made}"
    if result:
        return f"{path} is blob {old}, as the patch says; with it, {result} and not {new}"
    return f"{path} is blob {old}, and with the patch {new}, as it says"
