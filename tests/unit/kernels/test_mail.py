"""Mails: where they begin and end, what is text in them, and what is too much."""

import base64
import gzip
import subprocess
import time
from pathlib import Path

import mails as samples
import pytest

from z3trace.errors import InputError
from z3trace.kernels import mail

FROM = b"From x Mon Sep 17 00:00:00 2001\n"
DIFF = b"--- a/mm/x.c\n+++ b/mm/x.c\n@@ -1 +1 @@\n-a\n+b\n"


def _one(head: bytes, text: bytes = DIFF) -> mail.Mail:
    (found,) = mail.read("m", FROM + head + b"\n\n" + text)
    return found


def test_what_a_mail_says_of_itself() -> None:
    found = _one(
        b"From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\nSubject: [PATCH v2 1/3] =?utf-8?q?z3fold:_?=\n"
        b" =?utf-8?q?gr=C3=B6=C3=9Fer?=\nMessage-ID: <2@x>\nIn-Reply-To: <1@x>\n"
        b"References: <0@x>\n\t<1@x>",
        b"Why.\n---\n" + DIFF,
    )
    assert found.subject == "[PATCH v2 1/3] z3fold: größer"
    assert found.sender == "Jürgen <j@example.org>"
    assert (found.identity, found.answers, found.reply) == ("<2@x>", ("<1@x>", "<0@x>"), False)
    assert found.text == b"Why.\n---\n" + DIFF
    assert found.diff == DIFF


@pytest.mark.parametrize("prefix", ["Re:", "RE: ", "re[2]: ", "AW: ", "Antw:", "Re : "])
def test_an_answer_is_known_by_its_subject(prefix: str) -> None:
    assert _one(f"Subject: {prefix} [PATCH] x".encode()).reply
    assert not _one(f"Subject: [PATCH] {prefix} x".encode()).reply
    assert not _one(b"Subject: reset: a fix").reply


@pytest.mark.parametrize(
    "text",
    [
        DIFF,
        b"A change of x.\n\n" + DIFF,
        b"Index: mm/x.c\n====\n" + DIFF,
        b"diff --git a/mm/x.c b/mm/x.c\n" + DIFF,
        b"From here to there: a story\n\n" + DIFF,
        b"Why: because\nIt is good.\n\n" + DIFF,
        b"Description: of a package\nForwarded: no\n\n" + DIFF,
        b"",
        b"\0" * 100,
    ],
)
def test_what_is_no_mail_is_one_text(text: bytes) -> None:
    assert mail.read("m", text) == [mail.Mail(text=text)]


def test_a_mailbox_is_split_where_mails_begin() -> None:
    one = b"From: a@example.org\nSubject: one\n\nFrom here on, at 12:00 in 2001\nsee:\n\n" + DIFF
    two = b"From: b@example.org\nSubject: two\n\nFrom now\n" + DIFF
    lore = b"From mboxrd@z Thu Jan  1 00:00:00 1970\n"
    found = mail.read("m", b"\n\n" + FROM + one + b"\n" + lore + two)
    assert [(each.subject, each.diff) for each in found] == [("one", DIFF + b"\n"), ("two", DIFF)]


def test_a_line_as_between_two_mails_may_stand_in_an_attachment() -> None:
    """git sends a patch as it was made, with its first line, if one attaches the file."""
    inner = FROM + b"From: a@example.org\nSubject: [PATCH] x\n\n" + DIFF
    head = b"Subject: see\nContent-Type: multipart/mixed; boundary=B\n\n"
    part = b"--B\nContent-Type: text/x-patch\n\n"
    data = FROM + head + part + inner + b"\n" + part + inner.replace(b"] x", b"] y") + b"\n--B--\n"
    after = FROM + b"Subject: after\n\n" + DIFF
    found = mail.read("m", data + after)
    assert [each.subject for each in found] == ["see", "[PATCH] x", "[PATCH] y", "after"]
    assert [each.diff.rstrip() for each in found] == [b"", *[DIFF.rstrip()] * 3]


def test_what_comes_with_an_answer_is_one() -> None:
    inner = b"From: a@example.org\nSubject: [PATCH v2] x\n\n" + DIFF
    head = b"Subject: Re: [PATCH] x\nContent-Type: multipart/mixed; boundary=B"
    body = b"--B\n\nTry this:\n--B\nContent-Type: message/rfc822\n\n" + inner + b"\n--B--\n"
    found = mail.read("m", FROM + head + b"\n\n" + body)
    assert [(each.subject, each.reply) for each in found] == [
        ("Re: [PATCH] x", True),
        ("[PATCH v2] x", True),
    ]


@pytest.mark.parametrize(
    ("flowed", "text"),
    [
        (b"one \ntwo\n", b"one two\n"),
        (b"a \nb \nc\n", b"a b c\n"),
        (b"  context\n+new\n-old\n", b" context\n+new\n-old\n"),
        (b"  \n+new\n", b" \n+new\n"),
        (b" From a\n >q\n", b"From a\n>q\n"),
        (b"text \n-- \n2.39\n", b"text \n-- \n2.39\n"),
        (b"end ", b"end "),
        (b"end \n", b"end \n"),
    ],
)
def test_flowed_lines_become_what_they_were(flowed: bytes, text: bytes) -> None:
    kind = b"Subject: x\nContent-Type: text/plain; charset=utf-8; Format=Flowed"
    assert _one(kind, flowed).text.rstrip(b"\n") == text.rstrip(b"\n")
    assert _one(kind.replace(b"Format=Flowed", b"format=fixed"), flowed).text == flowed


def test_with_delsp_the_blank_goes_too() -> None:
    kind = b"Subject: x\nContent-Type: text/plain; format=flowed; delsp=yes"
    assert _one(kind, b"one  \ntwo\nth \nree\n").text == b"one two\nthree\n"


@pytest.mark.parametrize("form", ["8bit", "quoted-printable", "base64", "flowed", "flowed, DelSp"])
def test_git_reads_the_same_text(form: str, tmp_path: Path) -> None:
    """``git mailinfo`` on the same mails; it keeps the diff from its first line on too."""
    code = {
        "8bit": lambda data: data,
        "quoted-printable": samples.quoted_printable,
        "base64": samples.in_base64,
        "flowed": samples.flowed,
        "flowed, DelSp": lambda data: samples.flowed(data, delete=True),
    }[form]
    for one in samples.sent(tmp_path / "tree").mails:
        # git joins a line of one blank to the next one.
        data = code(one).replace(b"\n  \n", b"\n \n")
        words = ["git", "mailinfo", "-b", str(tmp_path / "text"), str(tmp_path / "patch")]
        subprocess.run(words, input=data, check=True, capture_output=True, cwd=tmp_path)
        (found,) = mail.read("m", data)
        theirs = (tmp_path / "patch").read_bytes()
        assert found.diff.rstrip() == theirs[theirs.index(b"diff --git") :].rstrip()


@pytest.mark.parametrize(
    ("charset", "data", "text"),
    [
        ("iso-8859-1", b"\xe4", "ä"),
        ("windows-1252", b"\x80", "€"),
        ("koi8-r", b"\xc2", "\u0431"),
        ("iso-2022-jp", b'\x1b$B$"\x1b(B', "あ"),
        ("gb18030", b"\xb0\xa1", "啊"),
        ("utf-8", "ä".encode(), "ä"),
        # What it is not in, or what is not known, stays as it is.
        ("iso-8859-1", b"x", "x"),
        ("us-ascii", b"\xe4", None),
        ("unknown-8bit", b"\xe4", None),
        ("punycode", b"x\xe4", None),
        ("gb18030", b"\xff\xff", None),
        ("zlib", b"\xe4", None),
    ],
)
def test_a_text_is_in_utf_8_if_its_letters_are_known(
    charset: str, data: bytes, text: str | None
) -> None:
    kind = f"Subject: x\nContent-Type: text/plain; charset={charset}".encode()
    assert _one(kind, data + b"\n").text == (text.encode() if text else data) + b"\n"


HOSTILE = {
    "many parts": b"Content-Type: multipart/mixed; boundary=B\n\n" + b"--B\n\nx\n" * 1000,
    "deep parts": b"Content-Type: multipart/mixed; boundary=B0\n\n"
    + b"".join(
        b"--B%d\nContent-Type: multipart/mixed; boundary=B%d\n\n" % (n, n + 1) for n in range(1000)
    ),
    "mails in mails": b"Content-Type: message/rfc822\n\n" * 1000,
    "a long header": b"Content-Type: text/plain; " + b'a=";' * 100_000 + b"\n\nx",
    "a long boundary": b"Content-Type: multipart/mixed; boundary=" + b'";' * 100_000 + b"\n\nx",
    "many headers": b"X: y\n" * 190_000 + b"\nx",
    "many lines": b"Subject: x\n\n" + b"\n" * 200_001,
    "many mails": FROM.join([b"Subject: x\n\nx\n"] * 1001),
    "many almost mails": (b"From " + b"1:00 " * 50 + b"\n") * 15_000,
    "encoded words": b"Subject: " + b"=?x?q?a" * 100_000 + b"\n\nx",
    "no charset": b"Subject: =?\xff?b?=====?=\nContent-Type: text/plain; charset=\xff\n\nx",
    "bad base64": b"Content-Transfer-Encoding: base64\n\n=\xff=A===",
    "bad uuencode": b"Content-Transfer-Encoding: x-uuencode\n\nbegin 999 x\n\xff\xff\n",
    "bad parameters": b"Content-Type: text/plain; charset*0*=x'; charset*1=y\n\nx",
    "a multipart without one": b"Content-Type: multipart/mixed\n\nx",
    "a mail of nothing": b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n",
    "nulls": b"Subject: \0\n\n" + b"\0" * 1000,
    "packed": b"Content-Type: text/x-patch\nContent-Transfer-Encoding: base64\n\n"
    + base64.encodebytes(gzip.compress(b"\0" * (1 << 25))),
    "packed in packed": b"Content-Type: multipart/mixed; boundary=B\n\n"
    + (
        b"--B\nContent-Type: text/x-patch\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(gzip.compress(FROM + b"Subject: x\n\n" + b"x" * (4 << 20)))
    )
    * 30,
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_too_much_of_anything_ends_soon_and_in_one_line(name: str) -> None:
    began = time.process_time()
    try:
        found = mail.read("m", FROM + HOSTILE[name])
    except InputError as error:
        assert str(error).startswith("m ")
        assert "\n" not in str(error)
    else:
        assert all(len(each.subject) <= 200 for each in found)
    assert time.process_time() - began < 3
