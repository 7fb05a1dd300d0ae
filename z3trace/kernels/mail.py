"""Mails: what stands in a mailbox, in one mail, or in a file that is none.

MIME is Python's (RFC 2045 to 2047); of our own are where a mail in a mailbox ends, and what
Python leaves to its user (``plaintext``).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32, compat32
from functools import cached_property

from z3trace.errors import InputError
from z3trace.kernels import handed, plaintext
from z3trace.printable import visible

_MOST_LINES = 200_000
_MOST_MAILS = 1000
_MOST_LIKE_MAILS = 5 * _MOST_MAILS  # lines as between mails
_LONGEST_HEAD = 64 << 10  # bytes
_MOST_PARTS = 32  # of one mail
_MOST_TEXT = 4 * handed.LIMIT  # bytes of all parts, unpacked: they may be packed in parts again
_LONGEST_HEADER = 4096  # characters: Python's parser takes the square of it
_DEEPEST = 3  # mails in mails

_FROM = re.compile(rb"^From ([^\n]{1,300})\n", re.M)
_TIME = re.compile(rb"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?")
_YEAR = re.compile(rb"[0-9]{4}")
_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9-]{0,60}:[ \t\r\n]")
_OF_MAIL = re.compile(rb"^(?:From|Subject|Message-ID|MIME-Version|Received): ?", re.M | re.I)
_BOUNDARY = re.compile(rb"\bboundary=(?:\"([^\"\n]{1,70})\"|([^\s;\"]{1,70}))", re.I)
_ON_A_PAGE = re.compile(rb"([^\n]{1,200})\n+From: ([^\n]{1,200})\n+Date: ([^\n]{1,100})\n", re.I)
_REPLY = re.compile(r"(?:re|aw|sv|vs|antw|odp|ynt|res|rif)\s*(?:\[[0-9]+\])?\s*:", re.I)
_IDENTITY = re.compile(r"<[^<>\s]{1,250}>")
_PATCH_NAME = re.compile(r"\.(?:patch|diff|mbox|mbx|eml|txt)(?:\.gz)?$", re.I)
_PATCH_TYPES = {"application/x-patch", "application/x-diff", "application/mbox"}


@dataclass(frozen=True)
class Mail:
    """One mail; all is empty but the text if it is none."""

    subject: str = ""
    sender: str = ""
    identity: str = ""
    #: Identities of the mails that it answers, its neighbour first.
    answers: tuple[str, ...] = ()
    #: Whether its subject says that it answers, or that of the mail in which it came.
    reply: bool = False
    #: All that is text in it, decoded; in UTF-8 if its character set is known.
    text: bytes = b""
    #: Whether it has no text but one in HTML.
    in_html: bool = False
    #: Whether the text is the diff that a reply quotes: mail may have changed its blanks.
    quoted: bool = False
    #: The words before a quote: ``On DATE, NAME wrote:``; of any other mail, its date.
    wrote: str = ""

    @cached_property
    def diff(self) -> bytes:
        """The text from the first line of a unified diff on; empty if it has none."""
        found = plaintext.DIFF.search(self.text)
        return self.text[found.start() :] if found else b""


def read(name: str, data: bytes) -> list[Mail]:
    """The mails in *data*, called *name*, in their order; one without a subject if it is no
    mail.  InputError if there is too much of anything."""
    return _Reader(name).read(data, _DEEPEST)


def is_mail(data: bytes) -> bool:
    """Whether a text begins with a mail's header, or with the line before one in a mailbox."""
    data = data.lstrip(b"\n")
    found = _FROM.match(data)
    head = _head(data, found.end() if found and _separates(found[1]) else 0)
    lines = head.split(b"\n", 200)
    proper = all(not line or line[:1] in b" \t" or _HEADER.match(line + b"\n") for line in lines)
    return proper and bool(_OF_MAIL.search(head))


def _archived(data: bytes) -> Mail:
    """A text that is no mail; of one that an archive's page shows, with the subject above
    all else, also what it says of itself."""
    data = plaintext.bare(data)
    found = _ON_A_PAGE.match(data[:_LONGEST_HEAD].lstrip())
    if not found:
        return Mail(text=data)
    subject, sender, date = (
        visible(part.decode(errors="replace").strip()) for part in found.groups()
    )
    reply = bool(_REPLY.match(subject))
    return Mail(subject=subject, sender=sender, reply=reply, text=data, wrote=date)


def _separates(line: bytes) -> bool:
    """Whether what stands after ``From`` has a time and a year after it: a mailbox's line."""
    words = line.split()
    times = [number for number, word in enumerate(words) if _TIME.fullmatch(word)]
    return bool(times) and any(_YEAR.fullmatch(word) for word in words[times[0] :])


def _split(name: str, data: bytes) -> Iterator[bytes]:
    """The mails of a mailbox.  A line as between two may stand in an attachment: it is one
    only after the end of what the mail's own header opens."""
    data = data.lstrip(b"\n")
    begin, at = 0, _end_of_parts(data, 0)
    for number, found in enumerate(_FROM.finditer(data, 1)):
        if number == _MOST_LIKE_MAILS:
            raise InputError(f"{name} has more than {_MOST_LIKE_MAILS} lines as between mails")
        if found.start() > at and _separates(found[1]) and is_mail(_head(data, found.end())):
            yield data[begin : found.start()]
            begin, at = found.start(), _end_of_parts(data, found.start())
    yield data[begin:]


def _head(data: bytes, begin: int) -> bytes:
    """The header that begins there, as far as it is one of a length that has been seen."""
    end = data.find(b"\n\n", begin, begin + _LONGEST_HEAD)
    return data[begin : begin + _LONGEST_HEAD if end < 0 else end + 1]


def _end_of_parts(data: bytes, begin: int) -> int:
    """Where the last part of the mail that begins at *begin* ends; *begin* if it has none."""
    boundary = _BOUNDARY.search(_head(data, begin))
    if not boundary:
        return begin
    return max(begin, data.find(b"\n--" + (boundary[1] or boundary[2]) + b"--", begin))


class _Part(Message):
    """A part of a mail that gives no header of which Python makes too much work."""

    def get(self, name: str, failobj: object = None) -> object:  # type: ignore[override]
        value = super().get(name, failobj)
        if isinstance(value, str) and len(value) > _LONGEST_HEADER:
            raise ValueError(f"its header {name} is too long")
        return value


@dataclass
class _Reader:
    """Reads one file, with what it may still take of it."""

    name: str
    room: int = _MOST_TEXT
    lines: int = _MOST_LINES
    mails: int = _MOST_MAILS

    def read(self, data: bytes, deepest: int) -> list[Mail]:
        data = data.replace(b"\r\n", b"\n")
        self.room -= len(data)
        self.lines -= data.count(b"\n")
        if self.lines < 0:
            raise InputError(f"{self.name} has more than {_MOST_LINES} lines: not a patch")
        if self.room < 0:
            raise InputError(f"{self.name} holds more than {_MOST_TEXT} bytes when unpacked")
        if not is_mail(data):
            return [_archived(data)]
        mails: list[Mail] = []
        for one in _split(self.name, data):
            self.mails -= 1
            if self.mails < 0:
                raise InputError(f"{self.name} has more than {_MOST_MAILS} mails")
            try:
                mails += _Parser(self, deepest).parse(one)
            except (MessageError, ValueError, LookupError, TypeError, AttributeError) as error:
                reason = visible(str(error))[:100]
                raise InputError(
                    f"{self.name} holds a mail that cannot be read: {reason}"
                ) from error
        return mails


@dataclass
class _Parser:
    """Of one mail: itself, and the mails that are in it."""

    reader: _Reader
    deepest: int
    inner: list[Mail] = field(default_factory=list)
    parts: int = 0

    def parse(self, data: bytes) -> list[Mail]:
        return self.of(BytesParser(_class=self._part, policy=compat32).parsebytes(data))

    def _part(self, policy: Compat32 = compat32) -> _Part:
        self.parts += 1
        if self.parts > _MOST_PARTS:
            raise InputError(f"{self.reader.name} has a mail of more than {_MOST_PARTS} parts")
        return _Part(policy=policy)

    def of(self, message: Message) -> list[Mail]:
        subject = _decoded(message, "subject")
        found = [
            *_identities(message, "in-reply-to"),
            *reversed(_identities(message, "references")),
        ]
        # The same diff in the text and attached is one.
        texts = list(dict.fromkeys(self._texts(message)))
        mail = Mail(
            subject=subject,
            sender=_decoded(message, "from"),
            identity=next(iter(_identities(message, "message-id")), ""),
            answers=tuple(dict.fromkeys(found)),
            reply=bool(_REPLY.match(subject)),
            text=b"\n".join(texts),
            in_html=not texts and any(map(_is_html, message.walk())),
            wrote=_decoded(message, "date"),
        )
        return [mail, *(replace(one, reply=True) if mail.reply else one for one in self.inner)]

    def _texts(self, message: Message) -> Iterator[bytes]:
        """What is text in a mail; a mail in it goes to ``inner``."""
        kind = message.get_content_type()
        if message.is_multipart():
            parts = [part for part in message.get_payload() if isinstance(part, Message)]
            if kind == "message/rfc822":
                self.inner += _Parser(self.reader, self.deepest).of(parts[0])
                return
            plain = [part for part in parts if part.get_content_type() == "text/plain"]
            for part in plain if kind == "multipart/alternative" and plain else parts:
                yield from self._texts(part)
        elif _may_be_patch(message):
            text = _text(message, self.reader.name)
            if not is_mail(text):
                yield text
            elif not self.deepest:
                raise InputError(f"{self.reader.name} has mails in mails too deeply")
            else:
                self.inner += self.reader.read(text, self.deepest - 1)


def _is_html(part: Message) -> bool:
    return part.get_content_type() == "text/html"


def _may_be_patch(part: Message) -> bool:
    if part.get_content_maintype() == "text":
        return not _is_html(part)
    named = _PATCH_NAME.search(part.get_filename() or "")
    return bool(named) or part.get_content_type() in _PATCH_TYPES


def _text(part: Message, name: str) -> bytes:
    """The text of a part that has no parts."""
    payload = part.get_payload(decode=True)
    data = handed.text(name, payload if isinstance(payload, bytes) else b"")
    data = data.replace(b"\r\n", b"\n")
    if part.get_content_type() == "text/plain" and _parameter(part, "format") == "flowed":
        data = plaintext.unflowed(data, delete=_parameter(part, "delsp") == "yes")
    return plaintext.in_utf8(plaintext.bare(data), part.get_content_charset() or "")


def _parameter(part: Message, name: str) -> str:
    value = part.get_param(name)
    return value.lower() if isinstance(value, str) else ""


def _identities(message: Message, header: str) -> list[str]:
    return _IDENTITY.findall(str(message.get(header, "")))[:100]


def _decoded(message: Message, header: str) -> str:
    """A header as one short line of text."""
    raw = str(message.get(header, ""))[:1000]
    try:
        found = str(make_header(decode_header(raw)))
    except (MessageError, LookupError, ValueError, AssertionError, TypeError):
        found = raw
    return visible(" ".join(found.split()))[:200]
