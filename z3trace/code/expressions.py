"""Which member of which structure a lock's expression names, such as ``&pool->lock``.

Understood are identifiers, ``->``, ``.``, ``&``, ``*``, ``[]``, calls, casts to structures
and parentheses.  Of anything else only the last name is taken.
"""

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Generic, Protocol, TypeVar

_TOKEN = re.compile(r"->|[A-Za-z_]\w*|\S")
_NAME = re.compile(r"[A-Za-z_]\w*")
_MOST_TOKENS = 200
_DEEPEST = 40  # parentheses and operators inside each other
_OPENED = {"(": ")", "[": "]"}
_TAGS = ("struct", "union")
_QUALIFIERS = ("const", "volatile")

_Type = TypeVar("_Type")


class Types(Protocol[_Type]):
    """What the names of a source stand for; None for what is not known."""

    def variable(self, function: str, name: str) -> _Type | None:
        """The type of a variable or parameter as *function* sees it."""

    def result(self, function: str) -> _Type | None:
        """The type of what a function returns."""

    def structure(self, name: str) -> _Type | None: ...

    def pointed(self, kind: _Type) -> _Type | None:
        """What a pointer points to, or an array has."""

    def member(self, kind: _Type, name: str) -> tuple[str, _Type | None] | None:
        """Of a member: the structure's name, empty if it has none, and the member's type."""


@dataclass(frozen=True)
class Named:
    """What an expression ends with: a *member*, of *structure* if that is known; or a
    variable or function of that name, if not *is_member*."""

    structure: str
    member: str
    is_member: bool


class _NotUnderstoodError(Exception):
    pass


@dataclass(frozen=True)
class _Value(Generic[_Type]):
    """Of an expression: its type if known, the address of such a thing if *address*."""

    kind: _Type | None
    named: Named | None
    address: bool = False


def resolve(expression: str, function: str, types: Types[_Type]) -> Named:
    """What *expression*, in the source of *function*, names."""
    tokens = _TOKEN.findall(expression)
    if len(tokens) <= _MOST_TOKENS:
        reader = _Reader(tokens, function, types)
        try:
            named = reader.whole().named
        except _NotUnderstoodError:
            named = None
        if named:
            return named
    return _last_name(tokens)


def _last_name(tokens: list[str]) -> Named:
    """The last member that is no part of an index or of an argument, else the last name."""
    found = Named("", "", False)
    closing: list[str] = []
    for before, word in zip(["", *tokens], tokens, strict=False):
        argument = word == "(" and (_NAME.fullmatch(before) or before in (")", "]"))
        if word == "[" or argument or (closing and word in _OPENED):
            closing.append(_OPENED[word])
        elif closing and word == closing[-1]:
            closing.pop()
        elif not closing and _NAME.fullmatch(word):
            is_member = before in ("->", ".")
            if is_member or not found.is_member:
                found = Named("", word, is_member)
    return found


class _Reader(Generic[_Type]):
    """Reads the tokens of one expression, from left to right."""

    def __init__(self, tokens: list[str], function: str, types: Types[_Type]) -> None:
        self._tokens, self._at, self._depth = tokens, 0, 0
        self._function, self._types = function, types

    def _next(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ""

    def _take(self, wanted: str = "") -> str:
        word = self._next()
        if not word or (wanted and word != wanted):
            raise _NotUnderstoodError
        self._at += 1
        return word

    def whole(self) -> _Value[_Type]:
        value = self._unary()
        if self._next():
            raise _NotUnderstoodError
        return value

    def _unary(self) -> _Value[_Type]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _NotUnderstoodError
        word = self._next()
        if word == "&":
            self._take()
            value = replace(self._unary(), address=True)
        elif word == "*":
            self._take()
            value = self._pointed(self._unary())
        elif word == "(" and self._is_cast():
            value = self._cast()
        else:
            value = self._postfix()
        self._depth -= 1
        return value

    def _is_cast(self) -> bool:
        """``(struct name *)``, or ``(name *)`` with something behind it."""
        ahead = 1
        while self._next(ahead) in (*_TAGS, *_QUALIFIERS):
            ahead += 1
        tagged = ahead > 1
        while _NAME.fullmatch(self._next(ahead)):
            ahead += 1
        stars = ahead
        while self._next(ahead) == "*":
            ahead += 1
        return self._next(ahead) == ")" and (tagged or ahead > stars)

    def _cast(self) -> _Value[_Type]:
        self._take("(")
        words, stars = [], 0
        while self._next() != ")":
            word = self._take()
            stars += word == "*"
            words.append(word)
        self._take(")")
        named = self._unary().named
        tagged = next((b for a, b in pairwise(words) if a in _TAGS), "")
        kind = self._types.structure(tagged) if tagged and stars == 1 else None
        return _Value(kind, named, address=True)

    def _postfix(self) -> _Value[_Type]:
        value = self._primary()
        while True:
            word = self._next()
            if word in ("->", "."):
                self._take()
                value = self._member(self._pointed(value) if word == "->" else value)
            elif word == "[":
                self._skip()
                value = self._pointed(value)
            else:
                return value

    def _primary(self) -> _Value[_Type]:
        if self._next() == "(":
            self._take()
            value = self._unary()
            self._take(")")
            return value
        name = self._take()
        if not _NAME.fullmatch(name):
            raise _NotUnderstoodError
        named = Named("", name, False)
        if self._next() == "(":
            self._skip()
            return _Value(self._types.result(name), named)
        return _Value(self._types.variable(self._function, name), named)

    def _pointed(self, value: _Value[_Type]) -> _Value[_Type]:
        if value.address:
            return replace(value, address=False)
        kind = None if value.kind is None else self._types.pointed(value.kind)
        return replace(value, kind=kind)

    def _member(self, value: _Value[_Type]) -> _Value[_Type]:
        name = self._take()
        if not _NAME.fullmatch(name):
            raise _NotUnderstoodError
        found = None
        if value.kind is not None and not value.address:
            found = self._types.member(value.kind, name)
        structure, kind = found or ("", None)
        return _Value(kind, Named(structure, name, True))

    def _skip(self) -> None:
        """Pass over an index or arguments, to the end of the bracket that begins here."""
        closing = [_OPENED[self._take()]]
        while closing:
            word = self._take()
            if word in _OPENED:
                closing.append(_OPENED[word])
            elif word == closing[-1]:
                closing.pop()
