"""A text as it was written: without what mail programs, terminals and signatures add."""

import codecs
import re

#: Where the first diff in a text begins.
DIFF = re.compile(rb"^(?:diff -|Index: |--- [^\n]*\n\+\+\+ )", re.M)
_COLOUR = re.compile(rb"\x1b\[[0-9;]{0,20}[mK]")
_SIGNED = re.compile(
    rb"^-----BEGIN PGP SIGNED MESSAGE-----\n(?:[A-Za-z-]{1,30}: [^\n]*\n){0,9}\n", re.M
)
_SIGNATURE = b"\n-----BEGIN PGP SIGNATURE-----\n"
#: Families of character sets that mails come in; some codecs take more than linear time.
_CHARSETS = re.compile(
    r"(?:iso8859-|cp125|cp437|cp850|koi8|mac-|gb|big5|euc_|shift_jis|iso2022_|utf-16|utf-32)"
)


def bare(data: bytes) -> bytes:
    """A text without the colours that git gives a diff on a terminal, and as it was before it
    was signed in place: such a signature puts ``- `` before every line that begins with a
    dash (RFC 4880, 7.1)."""
    if b"\x1b[" in data and not DIFF.search(data):
        data = _COLOUR.sub(b"", data)
    signed = _SIGNED.search(data)
    if signed:
        end = data.find(_SIGNATURE, signed.end())
        body = data[signed.end() : end + 1 if end >= 0 else len(data)]
        data = data[: signed.start()] + re.sub(rb"(?m)^- ", b"", body)
    return data


def in_utf8(data: bytes, charset: str) -> bytes:
    """*data* in UTF-8; as it is if its character set is not known, or it is not in it."""
    try:
        codec = codecs.lookup(charset).name if charset else ""
        if _CHARSETS.match(codec) and (not data.isascii() or codec.startswith("iso2022")):
            return data.decode(codec).encode()
    except (LookupError, ValueError):
        pass
    return data


def unflowed(data: bytes, *, delete: bool) -> bytes:
    """Lines as they were before a mail program let them flow (RFC 3676, 4.1 to 4.5); with
    *delete*, the blank at which a line was broken was not there.

    A line of one blank is a line of a diff's context: no program breaks a line there.
    """
    lines: list[bytes] = []
    flowing: list[bytes] = []
    for stuffed in data.split(b"\n"):
        line = stuffed[1:] if stuffed.startswith(b" ") else stuffed
        if line.endswith(b" ") and line not in (b" ", b"-- "):
            flowing.append(line[:-1] if delete else line)
            continue
        if line == b"-- " and flowing:
            lines.append(b"".join(flowing))
            flowing = []
        lines.append(b"".join([*flowing, line]))
        flowing = []
    return b"\n".join([*lines, b"".join(flowing)] if flowing else lines)
