"""A series of three patches, as git sends it, and as mail programs and users hand it over.

Everything that is here in another form makes the same source: what git makes of it.
"""

import base64
import gzip
import os
import quopri
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import zstandard

SOURCE = "mm/x.c"
_FUNCTION = """\
/* Straße {0}: more text than a line of a mail may have, so that a mail program breaks it somewhere = here */
static int f{0}(struct pool *pool, unsigned long handle)
{{
\tint n = {0};

\tspin_lock(&pool->lock);
\tlist_del(&pool->list);
\tspin_unlock(&pool->lock);

\treturn n;
}}

"""
#: The source before the series, and after each of its patches.
BEFORE = "".join(_FUNCTION.format(number) for number in range(40))
_CHANGES = (
    ("\tint n = 10;\n", "\tint n = 10; /* größer */\n"),
    ("\treturn n;\n}\n\n/* Straße 12:", "\treturn n + 1;\n}\n\n/* Straße 12:"),
    ("\tint n = 30;\n\n\tspin_lock", "\tint n = 30;\n\n\tcpu_relax();\n\tspin_lock"),
)


#: What git writes otherwise.
OPTIONS = {
    "no prefix": ("--no-prefix",),
    "mnemonic prefixes": ("--src-prefix=i/", "--dst-prefix=w/"),
    "commit prefixes": ("--src-prefix=c/", "--dst-prefix=o/"),
    "attached": ("--attach",),
    "inline": ("--inline",),
    "no numbers": ("-N",),
    "no signature": ("--no-signature",),
    "patience": ("--patience", "-U8"),
    "threaded": ("--thread=deep",),
    "version 7": ("-v7",),
    "relative": ("--relative=mm",),
    "a prefix of a list": ("--subject-prefix=RFC PATCH -next",),
    "colours of a terminal": ("--color=always",),
}


@dataclass(frozen=True)
class Sent:
    """The series as git sends it: the cover letter and the mails, and the source after it."""

    cover: bytes
    mails: tuple[bytes, ...]
    after: bytes
    #: The same as git writes it with other options: name -> mails.
    others: Mapping[str, tuple[bytes, ...]]


def git(tree: Path, *words: str, data: bytes = b"") -> bytes:
    """What a command of git says; nobody's settings count."""
    who = {f"GIT_{role}_{part}": text for role in ("AUTHOR", "COMMITTER")
           for part, text in (("NAME", "Jürgen"), ("EMAIL", "j@example.org"))}  # fmt: skip
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        **who,
    }
    command = ["git", "-C", str(tree), "-c", "init.defaultBranch=main", *words]
    return subprocess.run(
        command, input=data, env=environment, check=True, stdout=subprocess.PIPE
    ).stdout


def sent(tree: Path) -> Sent:
    """The series, made by git in the new directory *tree*."""
    (tree / SOURCE).parent.mkdir(parents=True)
    git(tree, "init", "-q")
    text = BEFORE
    (tree / SOURCE).write_text(text)
    _commit(tree, "base")
    for number, (old, new) in enumerate(_CHANGES, 1):
        assert text.count(old) == 1
        text = text.replace(old, new)
        (tree / SOURCE).write_text(text)
        _commit(tree, f"x: Änderung {number}\n\nWhy = because.\n")
    cover, *mails = _formatted(tree, "--cover-letter")
    others = {name: _formatted(tree, *words) for name, words in OPTIONS.items()}
    return Sent(cover, tuple(mails), (tree / SOURCE).read_bytes(), others)


def _commit(tree: Path, message: str) -> None:
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", message)


def _formatted(tree: Path, *words: str) -> tuple[bytes, ...]:
    text = git(tree, "format-patch", "--stdout", *words, "HEAD~3")
    return tuple(re.split(rb"(?m)^(?=From [0-9a-f]{40} )", text)[1:])


def body(mail: bytes) -> bytes:
    return mail.partition(b"\n\n")[2]


def diff(mail: bytes) -> bytes:
    """A mail's diff, without git's signature."""
    return mail[mail.index(b"diff --git") :].rpartition(b"-- \n")[0]


def _header(mail: bytes, more: str) -> bytes:
    """The header of a mail of git's, with *more* instead of what it says of its content."""
    head = mail.partition(b"\n\n")[0].decode()
    kept = re.sub(r"(?m)^(MIME-Version|Content-[\w-]+):.*\n?", "", head).rstrip("\n")
    return f"{kept}\nMIME-Version: 1.0\n{more}\n\n".encode()


def quoted_printable(mail: bytes) -> bytes:
    more = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable"
    return _header(mail, more) + quopri.encodestring(body(mail)) + b"\n"


def in_base64(mail: bytes, ends: bytes = b"\n") -> bytes:
    more = "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: base64"
    return _header(mail, more) + base64.encodebytes(body(mail).replace(b"\n", ends)) + b"\n"


def flowed(mail: bytes, *, delete: bool = False) -> bytes:
    """Lines broken at a blank and stuffed, as RFC 3676 has it."""
    made = []
    for line in body(mail).decode().split("\n"):
        words, rest = [], line
        while len(rest) > 66 and " " in rest[40:66] and not rest.endswith(" "):
            at = rest.rindex(" ", 40, 66) + 1
            words.append(rest[:at] + (" " if delete else ""))
            rest = rest[at:]
        made += [(" " if part[:1] in (" ", ">") or part[:5] == "From " else "") + part
                 for part in [*words, rest]]  # fmt: skip
    more = "Content-Type: text/plain; charset=utf-8; format=flowed" + "; DelSp=Yes" * delete
    text = "\n".join(made).encode()
    return _header(mail, more + "\nContent-Transfer-Encoding: 8bit") + text


def in_latin_1(mail: bytes) -> bytes:
    more = 'Content-Type: text/plain; charset="ISO-8859-1"\nContent-Transfer-Encoding: 8bit'
    return _header(mail, more) + body(mail).decode().encode("latin-1")


def in_windows(mail: bytes) -> bytes:
    more = "Content-Type: text/plain; charset=windows-1252\nContent-Transfer-Encoding: base64"
    return _header(mail, more) + base64.encodebytes(body(mail).decode().encode("cp1252"))


def with_html(mail: bytes) -> bytes:
    """As a mail program sends text and the same in HTML."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["Subject"] = "j@example.org", subject(mail)
    message.set_content(body(mail).decode())
    message.add_alternative("<pre>--- a/mm/x.c\n+++ b/mm/x.c\n</pre>", subtype="html")
    return b"From x Mon Sep 17 00:00:00 2001\n" + bytes(message) + b"\n"


def subject(mail: bytes) -> str:
    """As it stands in the header, words of other letters encoded."""
    found = re.search(rb"(?m)^Subject: ([^\n]*(?:\n [^\n]*)*)", mail)
    assert found
    return found[1].decode().replace("\n ", " ")


def in_one_mail(mails: tuple[bytes, ...], kind: str, encoding: str) -> bytes:
    """All as attachments: patches of a text type, of a type for any data, or mails."""
    head = "From x Mon Sep 17 00:00:00 2001\nFrom: j@example.org\nSubject: the patches\n"
    parts = ["Content-Type: text/plain\n\nThe patches are attached.\n"]
    for number, mail in enumerate(mails, 1):
        content = mail
        if kind == "message/rfc822":
            content = mail.partition(b"\n")[2]
        text = (base64.encodebytes(content) if encoding == "base64" else content).decode()
        parts.append(
            f'Content-Type: {kind}\nContent-Disposition: attachment; filename="{number}.patch"\n'
            f"Content-Transfer-Encoding: {encoding}\n\n{text}"
        )
    whole = "".join(f"--=_next\n{part}\n" for part in parts)
    more = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="=_next"\n\n'
    return f"{head}{more}{whole}--=_next--\n".encode()


def reply(mail: bytes, text: bytes = b"") -> bytes:
    """An answer that quotes it, and says *text*."""
    quoted = b"".join(b"> " + line + b"\n" for line in body(mail).split(b"\n"))
    head = f"From r Mon Sep 17 00:00:00 2001\nFrom: r@example.org\nSubject: Re: {subject(mail)}\n\n"
    return head.encode() + quoted + b"Looks good.\n" + text + b"\n"


def signed_in_place(mail: bytes) -> bytes:
    """As PGP signs a text: with ``- `` before each line that begins with a dash."""
    text = re.sub(rb"(?m)^-", b"- -", body(mail))
    return (
        mail.partition(b"\n\n")[0]
        + b"\n\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
        + text
        + b"\n-----BEGIN PGP SIGNATURE-----\n\niQEz\n-----END PGP SIGNATURE-----\n\n"
    )


def signed(mail: bytes) -> bytes:
    """As mail programs sign, the signature beside the text."""
    kind = 'multipart/signed; protocol="application/pgp-signature"; boundary="=-x"'
    text = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable"
    return (
        _header(mail, f"Content-Type: {kind}")
        + f"--=-x\n{text}\n\n".encode()
        + quopri.encodestring(body(mail))
        + b"\n--=-x\nContent-Type: application/pgp-signature\n\niQEz\n--=-x--\n\n"
    )


def with_a_footer(mail: bytes) -> bytes:
    """As a mailing list sends it on."""
    text = mail.replace(b"Subject: [PATCH", b"Subject: [mm-list] [EXTERNAL] [PATCH", 1)
    return text.rstrip(b"\n") + b"\n" + b"_" * 47 + b"\nmm-list mailing list\nlist@example.org\n\n"


def squeezed(mail: bytes) -> bytes:
    """As the page of an archive shows it: blanks that stand together are one, those at the
    beginning of a line behind its mark too."""
    return b"\n".join(
        re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") if line.startswith(b">") else line
        for line in mail.split(b"\n")
    )


def other(mail: bytes) -> bytes:
    """A mail with another change of the same lines."""
    return mail.replace(b"cpu_relax", b"might_sleep").replace(b"+\tint n", b"+\tlong n")


Files = dict[str, bytes]


def all_forms(made: Sent) -> dict[str, Files]:
    """Name -> files, in the order in which a user hands them over."""
    mails, whole = made.mails, b"".join(made.mails)
    text = whole.decode()
    again = tuple(mail.replace(b"[PATCH ", b"[PATCH v2 ") for mail in mails)
    ours = tuple(mail.replace(b"[PATCH ", b"[PATCH v3 ") for mail in mails)
    forms: dict[str, Files] = {
        "mailbox": {"s.mbox": whole},
        "mailbox with the cover letter": {"s.mbox": made.cover + whole},
        "mailbox in reverse": {"s.mbox": b"".join(reversed([made.cover, *mails]))},
        "mailbox of b4": {"s.mbx": whole},
        "each twice": {"s.mbox": whole + whole},
        "one file for each": {f"000{n}.patch": mail for n, mail in enumerate(mails, 1)},
        "one file for each, .eml": {
            f"{n}.eml": mail.partition(b"\n")[2] for n, mail in enumerate(mails, 1)
        },
        "no ending": {"series": whole},
        "upper-case ending": {"S.PATCH": whole},
        "line ends of DOS": {"s.mbox": whole.replace(b"\n", b"\r\n")},
        "gzip": {"s.patch.gz": gzip.compress(whole)},
        "gzip, several members": {"s.mbox.gz": b"".join(map(gzip.compress, mails))},
        "gzip without its ending": {"s.mbox": gzip.compress(whole)},
        "zstd": {"s.mbox.zst": zstandard.compress(whole)},
        "signed in place": {"s.mbox": b"".join(map(signed_in_place, mails))},
        "signed": {"s.mbox": b"".join(map(signed, mails))},
        "sent on by a list": {"s.mbox": b"".join(map(with_a_footer, mails))},
        "UTF-8 with a mark": {"s.mbox": b"\xef\xbb\xbf" + whole},
        "UTF-16": {"s.mbox": text.encode("utf-16")},
        "UTF-16, the other way": {"s.mbox": b"\xfe\xff" + text.encode("utf-16-be")},
        "UTF-32": {"s.mbox": text.encode("utf-32")},
        "Latin 1, not said": {"s.mbox": b"".join(map(_unsaid_latin_1, mails))},
        "diffs": {f"{n}.diff": diff(mail) for n, mail in enumerate(mails, 1)},
        "diffs in one file": {"all.diff": b"".join(map(diff, mails))},
        "diffs in Latin 1": {
            f"{n}.diff": diff(mail).decode().encode("latin-1") for n, mail in enumerate(mails, 1)
        },
        "quilt": {f"{n}.patch": _quilt(mail) for n, mail in enumerate(mails, 1)},
        "text and HTML": {"s.mbox": b"".join(map(with_html, mails))},
        "forwarded": {"f.eml": in_one_mail(mails, "message/rfc822", "8bit")},
        "attached, text": {"f.eml": in_one_mail(mails, "text/x-patch", "8bit")},
        "attached, base64": {"f.eml": in_one_mail(mails, "application/octet-stream", "base64")},
        "with answers": {
            "t.mbox": made.cover + b"".join(mail + reply(mail, diff(other(mail))) for mail in mails)
        },
        "quoted by answers": {"t.mbox": b"".join(map(reply, mails))},
        "quoted by answers, blanks lost": {
            "t.mbox": b"".join(squeezed(reply(mail)) for mail in mails)
        },
        "three versions": {
            "t.mbox": b"".join(map(other, [*mails, *again])) + b"".join(reversed(ours))
        },
        **{name: {"s.mbox": b"".join(texts)} for name, texts in made.others.items()},
    }
    encodings: dict[str, Callable[[bytes], bytes]] = {
        "quoted-printable": quoted_printable,
        "base64": in_base64,
        "base64, line ends of DOS": lambda mail: in_base64(mail, b"\r\n"),
        "flowed": flowed,
        "flowed, DelSp": lambda mail: flowed(mail, delete=True),
        "Latin 1": in_latin_1,
        "Windows": in_windows,
    }
    for name, encode in encodings.items():
        coded = [encode(mail) for mail in mails]
        forms[name] = {"s.mbox": b"\n".join(coded)}
        forms[f"{name}, files"] = {f"{n}.eml": mail for n, mail in enumerate(coded, 1)}
        forms[f"{name}, attached"] = {
            "f.eml": in_one_mail(tuple(coded), "application/mbox", "base64")
        }
    return forms


def _unsaid_latin_1(mail: bytes) -> bytes:
    """As git sends it if the file has it and git was not told."""
    return _header(mail, "Content-Transfer-Encoding: 8bit") + body(mail).decode().encode("latin-1")


def _quilt(mail: bytes) -> bytes:
    lines = diff(mail).split(b"\n")[2:]
    lines = [
        line.replace(b"--- a/", b"--- linux.orig/").replace(b"+++ b/", b"+++ linux/")
        for line in lines
    ]
    return b"A change.\nIt is good.\n\nIndex: linux/mm/x.c\n=====\n" + b"\n".join(lines)
