"""Text as a stranger would choose it, and samples that have it in every field."""

from typing import Any, TypeVar

import msgspec

_Struct = TypeVar("_Struct")

#: What a terminal, a browser, a forge or a spreadsheet would obey.
EVILS = {
    "escape": "\x1b[31mred\x1b[0m\x1b]0;owned\x07",
    "c1": "\x9b31mred\x85next\x9d0;owned\x9c",
    "c0": "a\x00b\x07c\x08d\x7fe",
    "lines": "one\nSPOOFED: two\r\nSPOOFED: three\vfour\ffive\u2028six\u2029seven",
    "tab": "a\tb\rc",
    "bidi": "\u202egnp.exe\u202c \u202a\u202b\u202d \u2066x\u2067y\u2068z\u2069 \u200e\u200f",
    "no width": "a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg",
    "tags": "x\U000e0041\U000e0042\U000e007f",
    "blanks": "a\u00a0b\u3000c\u2003d",
    "markup": "<script>document.title='owned'</script><img src=x onerror=alert(1)><!--",
    "markdown": "![x](http://evil.example/x.png) [x](javascript:alert(1)) `x` **b** | <b> ~~s~~",
    "mention": "@torvalds cc @org/team, fixes #1 and evil/repo#2, GH-3",
    "links": "http://evil.example www.evil.example HTTPS://evil.example me@evil.example xmpp:a@b",
    "ticks": "``@torvalds`` \\@torvalds \\`http://evil.example\\`",
    "entities": "&lt;script&gt; &#64;torvalds &copy;",
    "long": "stock+" + "+".join(f"000{i}-a-step-of-the-locking-rework" for i in range(9)),
    "math": "$\\frac{$ $$x^2 \\unknown{",
    "formula": "=1+1",
    "formula +": "+1+cmd|' /C calc'!A0",
    "formula -": "-1+1",
    "formula @": "@SUM(1+1)",
    "formula tab": "\t=1+1",
    "formula wide": "\uff1d1+1",
}


def _texts(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of every text in builtin types, but of empty ones and of keys."""
    if isinstance(value, str):
        return [path] if value else []
    if isinstance(value, dict):
        pairs = list(value.items())
    else:
        pairs = list(enumerate(value)) if isinstance(value, list | tuple) else []
    return [place for key, inner in pairs for place in _texts(inner, (*path, key))]


def spoiled(record: _Struct, evil: str, *, keep: frozenset[str] = frozenset()) -> _Struct:
    """*record* with *evil* as every text that its types leave free, but in fields of *keep*."""
    value = msgspec.to_builtins(record)
    for *way, last in _texts(value):
        if keep & {last, *way}:
            continue
        holder = value
        for key in way:
            holder = holder[key]
        old, holder[last] = holder[last], evil
        try:
            msgspec.convert(value, type(record))
        except msgspec.ValidationError:
            holder[last] = old
    return msgspec.convert(value, type(record))
