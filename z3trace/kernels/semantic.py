"""Semantic patches: what in one is code, which z3trace does not run.

Coccinelle runs Python and OCaml from a semantic patch: as rules, before and after them,
and to judge a metavariable or to name a fresh one.  It reads options, other semantic
patches and files of isomorphisms.  All of that is refused by its words, wherever they
stand and whatever stands between them.
"""

import re

from z3trace.errors import InputError

#: Word -> what follows it where it is not an ordinary name.
_WORDS = {"script": ":", "initialize": ":", "finalize": ":", "using": '"<'}
_WORD = re.compile(rf"(?<![A-Za-z0-9_])(?:{'|'.join(_WORDS)})(?![A-Za-z0-9_])")
_OPTIONS = re.compile(r"^[^\S\n]*#[^\S\n]*spatch", re.MULTILINE)
_LIMIT = 128 << 10  # bytes: the search takes a second of that at worst
_NAME = re.compile(r"[A-Za-z0-9_]")
_RULE = re.compile(rb"^@[^@\n]{0,200}@", re.MULTILINE)
_HUNK = re.compile(rb"^@@+ -[0-9]", re.MULTILINE)
_VIRTUAL = re.compile(r"\bvirtual\s+(\w+(?:\s*,\s*\w+)*)")
_VALUE = re.compile(r"\bvirtual\s*\.\s*(\w+)")
_COMMENTS = {"/*": "*/", "//": "\n", "#": "\n"}


def must_be_plain(name: str, data: bytes) -> None:
    """InputError if the semantic patch *data*, called *name*, holds or reads code."""
    if len(data) > _LIMIT:
        raise InputError(f"{name} is larger than {_LIMIT >> 10} KiB: not a semantic patch")
    text = data.decode("latin-1")
    fault = "spatch options" if _OPTIONS.search(text) else _prolog(text)
    for match in _WORD.finditer(text):
        following = _following(text, match.end(), _WORDS[match[0]])
        if following:
            fault = f"{match[0]!r} on line {text.count(chr(10), 0, match.start()) + 1}"
            break
    if fault:
        raise InputError(
            f"{name} holds a script rule, an include or spatch options: {fault}",
            "z3trace runs no code from a semantic patch: leave them out",
        )


def _following(text: str, at: int, wanted: str) -> bool:
    """Does one of *wanted* come after *at*, before any name?  Coccinelle skips white space,
    comments and the signs of a changed line; here anything but a name is skipped."""
    while at < len(text) and not _NAME.match(text, at):
        if text[at] in wanted:
            return True
        at = _after(text, at)
    return False


def _after(text: str, at: int) -> int:
    """Where the text goes on after the comment, or else the character, at *at*."""
    for opening, closing in _COMMENTS.items():
        if text.startswith(opening, at):
            end = text.find(closing, at + len(opening))
            return len(text) if end < 0 else end + len(closing)
    return at + 1


def _prolog(text: str) -> str:
    """What stands before the first rule besides comments and names: there a semantic patch
    includes others."""
    at = 0
    while at < len(text) and text[at] != "@":
        if text[at] in '#"<':
            return f"{text[at]!r} before the first rule"
        at = _after(text, at)
    return ""


def looks_like(data: bytes) -> bool:
    """Whether a text without a name that says it begins a rule, and no hunk, on some line."""
    return bool(_RULE.search(data)) and not _HUNK.search(data)


def virtual(data: bytes) -> dict[str, bool]:
    """The names that a semantic patch leaves to the command line, and whether it wants a
    value for each: without them, rules that depend on them do nothing."""
    text = data.decode("latin-1")
    prolog, at = [], 0
    while at < len(text) and text[at] != "@":
        after = _after(text, at)
        prolog.append(text[at] if after == at + 1 else " ")
        at = after
    listed = [name for found in _VIRTUAL.findall("".join(prolog)) for name in found.split(",")]
    rules = {name.strip(): False for name in listed}
    return {**rules, **dict.fromkeys(_VALUE.findall(text, at), True)}
