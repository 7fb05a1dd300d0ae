"""Quoted patches: the diff that a reply quotes, without its marks and without the remarks.

What mail or an archive did to the blanks of its lines is for ``restoring`` to mend.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from z3trace.kernels.mail import Mail
from z3trace.kernels.series import Say

_DEEPEST = 8
_BEGIN = re.compile(
    rb"^[ \t]?((?:> ?){1,%d})(?:diff --git |Index: |--- (?:a/|/dev/null))" % _DEEPEST, re.M
)
_ATTRIBUTION = re.compile(rb"^(On [^\n]{5,200}(?:\n[^>\n]{1,100})?wrote:)[ \t]*$", re.M)
_ANSWER = re.compile(r"(?:(?:re|aw|sv|vs|antw|odp|ynt|res|rif)\s*(?:\[[0-9]+\])?\s*:\s*)+", re.I)


def diff(text: bytes) -> bytes:
    """The diff that *text* quotes, from its first line on; empty if it quotes none.

    Only lines of the quote's own depth are taken: those with fewer marks are remarks, those
    with more are an older quote.
    """
    begin = _BEGIN.search(text)
    if not begin:
        return b""
    depth = begin[1].count(b">")
    blank = b" " if begin[1].endswith(b" ") else b""
    lines = _lines(text[begin.start() :].split(b"\n"), depth, blank)
    return b"".join(line + b"\n" for line in lines)


def _lines(quote: Sequence[bytes], depth: int, blank: bytes) -> Iterator[bytes]:
    marks = re.compile(rb"[ \t]?" + rb"> ?" * (depth - 1) + rb">")
    for line in quote:
        found = marks.match(line)
        if found and not line[found.end() :].startswith((b">", b" >")):
            yield line[found.end() :].removeprefix(blank)


def attribution(text: bytes) -> str:
    """Who wrote what is quoted, and when, in the words of the reply; empty if it does not
    say."""
    begin = _BEGIN.search(text)
    found = list(_ATTRIBUTION.finditer(text, 0, begin.start() if begin else 0))
    return " ".join(found[-1][1].decode(errors="replace").split()) if found else ""


def answered(name: str, mails: Sequence[Mail], say: Say) -> list[Mail]:
    """The patches that *mails* quote, as mails of their own, if no mail has a diff that is
    not quoted; else *mails* as they are.

    Of several replies to one patch that which quotes most is taken, and that is said.
    """
    if any(mail.diff for mail in mails):
        return list(mails)
    best: dict[str, Mail] = {}
    quoting: dict[str, int] = {}
    for mail in mails:
        patch = _patch(mail)
        if patch is not None:
            known = best.get(patch.subject)
            quoting[patch.subject] = quoting.get(patch.subject, 0) + 1
            if known is None or len(patch.text) > len(known.text):
                best[patch.subject] = patch
    for subject, count in quoting.items():
        more = f", the one of {count} replies that quotes most" if count > 1 else ""
        say(f"{name}: {subject or 'the patch'} is taken from a reply that quotes it{more}")
    return list(best.values()) or list(mails)


def _patch(mail: Mail) -> Mail | None:
    """The patch that a mail quotes, by the subject that it answers."""
    text = diff(mail.text)
    if not text:
        return None
    subject = _ANSWER.sub("", mail.subject, count=1).strip()
    wrote = attribution(mail.text)
    return replace(
        mail,
        subject=subject,
        identity=next(iter(mail.answers), ""),
        text=text,
        reply=False,
        answers=(),
        quoted=True,
        wrote=wrote,
    )
