"""Texts made to fit what a file of ours can hold, so that none of them costs the rest.

What a user names is looked at before anything runs (``recordable``).  Other texts come from
debug information, from the kernel and from workloads, when it is too late to ask: one that
is too long is cut in its middle, and bytes that are no text are shown as escapes.
"""

from typing import Any, TypeVar

import msgspec
from msgspec import inspect

T = TypeVar("T", bound=msgspec.Struct)
_CUT = " .. "


def _text(value: str, most: int | None) -> str:
    value = value.encode(errors="surrogateescape").decode(errors="backslashreplace")
    if most is None or len(value) <= most:
        return value
    head = (most - len(_CUT)) * 2 // 3
    return f"{value[:head]}{_CUT}{value[head + len(_CUT) - most :]}"


def _value(kind: inspect.Type, value: Any) -> Any:
    """A value of that type in builtin types, its texts made to fit."""
    if isinstance(kind, inspect.UnionType):
        kind = next((each for each in kind.types if _holds(each, value)), kind)
    if isinstance(kind, inspect.StrType) and isinstance(value, str):
        return _text(value, kind.max_length) if kind.pattern is None else value
    if isinstance(kind, inspect.ListType):
        return [_value(kind.item_type, each) for each in value]
    if isinstance(kind, inspect.DictType):
        return {
            _value(kind.key_type, key): _value(kind.value_type, each) for key, each in value.items()
        }
    if isinstance(kind, inspect.StructType):
        types = {field.encode_name: field.type for field in kind.fields}
        return {
            name: _value(types[name], each) if name in types else each
            for name, each in value.items()
        }
    return value


def _holds(kind: inspect.Type, value: Any) -> bool:
    """Whether a value is of this member of a union: ours are a type or nothing."""
    return (value is None) == isinstance(kind, inspect.NoneType)


def fitted(record: T) -> T:
    """The record with texts that its types allow; msgspec.ValidationError if anything else
    in it is beyond its bounds."""
    value = msgspec.to_builtins(record)
    return msgspec.convert(_value(inspect.type_info(type(record)), value), type(record))
