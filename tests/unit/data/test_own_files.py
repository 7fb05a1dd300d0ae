"""What our writers write, our readers read: every bound of every type, exceeded by one.

A text is cut to fit; anything else is refused by the writer, and what was written before it
is kept and read.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import checksamples
import msgspec
import pytest
from msgspec import inspect, structs
from samples import recording, seen
from samples import write as samples_write

from z3trace.data import checkfile, runfile
from z3trace.data.fitting import fitted
from z3trace.errors import Z3traceError

_SEEN = seen(runs=1)
_CHECK = checksamples.broken()
#: A good record of each kind of line, as full as samples have it.
RECORDS: dict[str, msgspec.Struct] = {
    "session": _SEEN.session,
    **{f"run {run.way}": run for run in _SEEN.runs},
    "run": recording(runs=1).runs[0],
    "header": checksamples.header(),
    "incident": _CHECK.incidents[0],
    "progress": checksamples.progress(),
    "end": checksamples.end(),
}
Change = tuple[str, tuple[Any, ...], Callable[[Any], Any]]


def _union(kind: inspect.Type, value: Any) -> inspect.Type:
    if not isinstance(kind, inspect.UnionType):
        return kind
    known = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
    return known[0] if value is not None or len(known) == 1 else kind


def _more(most: int) -> Callable[[Any], Any]:
    """One more of a list or a dictionary than there may be, all like its first."""

    def grown(old: Any) -> Any:
        if isinstance(old, dict):
            each = next(iter(old.values()), 1)
            return {f"n{i}": each for i in range(most + 1)}
        return [old[0]] * (most + 1)

    return grown


def _always(value: Any) -> Callable[[Any], Any]:
    return lambda _: value


def _exceeded(  # noqa: C901 - a branch a kind
    kind: inspect.Type, value: Any, at: tuple[Any, ...]
) -> Iterator[Change]:
    """(what, where, what makes of a value one beyond the bound) of every bound below a place
    of a record."""
    kind = _union(kind, value)
    if isinstance(kind, inspect.StrType) and kind.max_length is not None:
        if at != ("bucket_scheme",):  # there is one, and no other
            yield "text", at, _always("a" * kind.max_length + "z")
            yield "no text", at, _always("caf\udce9")
    elif isinstance(kind, inspect.IntType) and kind.le is not None:
        yield "number", at, _always(kind.le + 1)
    elif isinstance(kind, inspect.IntType) and kind.lt is not None:
        yield "number", at, _always(kind.lt)
    elif isinstance(kind, inspect.ListType):
        if kind.max_length is not None and value:
            yield "list", at, _more(kind.max_length)
        for i, each in enumerate(value[:1]):
            yield from _exceeded(kind.item_type, each, (*at, i))
    elif isinstance(kind, inspect.DictType):
        if kind.max_length is not None:
            yield "list", at, _more(kind.max_length)
    elif isinstance(kind, inspect.StructType) and value is not None:
        for field in kind.fields:
            yield from _exceeded(field.type, value[field.encode_name], (*at, field.encode_name))


def _changes(name: str) -> list[Change]:
    record = RECORDS[name]
    return list(_exceeded(inspect.type_info(type(record)), msgspec.to_builtins(record), ()))


def _with(record: Any, at: tuple[Any, ...], value: Callable[[Any], Any]) -> Any:
    """The record with another value in a place, whatever its types say of it."""
    if not at:
        return value(record)
    first, *rest = at
    if isinstance(record, list):
        return [_with(x, tuple(rest), value) if i == first else x for i, x in enumerate(record)]
    return structs.replace(record, **{first: _with(getattr(record, first), tuple(rest), value)})


ALL = [(name, *change) for name in RECORDS for change in _changes(name)]


def test_there_are_bounds_of_every_kind_and_many_of_them() -> None:
    kinds = [what for _, what, _, _ in ALL]
    assert set(kinds) == {"text", "no text", "number", "list"}
    assert len({(name, at) for name, _, at, _ in ALL}) > 200
    for name in ("session", "run all", "run timed", "header", "progress", "end"):
        assert any(each == name for each, *_ in ALL), name


def _written(name: str, record: Any, path: Path) -> None:
    if name == "session" or name.startswith("run"):
        made = _SEEN
        with runfile.Writer(path) as writer:
            writer.session(record if name == "session" else made.session)
            writer.run(made.runs[0])
            if name != "session":
                writer.run(record)
            writer.finish(interrupted=False)
        return
    writer_ = checkfile.Writer(path)
    writer_.write(record if name == "header" else checksamples.header())
    writer_.write(record if name == "progress" else checksamples.progress())
    if name == "incident":
        writer_.write(record)
    writer_.write(record if name == "end" else checksamples.end())
    writer_.finish()


def _read(path: Path) -> int:
    """How many lines of ours there are in a file, or in its part."""
    for name in (path, path.with_name(f"{path.name}.part")):
        if name.exists():
            found = runfile.read(name) if path.suffix == ".z3t" else checkfile.read(name)
            return len(getattr(found, "runs", [])) + 1
    return 0


@pytest.mark.parametrize("name", RECORDS)
def test_what_the_reader_bounds_the_writer_keeps_or_refuses(name: str, tmp_path: Path) -> None:
    suffix = ".z3t" if name == "session" or name.startswith("run") else ".z3c"
    for number, (what, at, value) in enumerate(_changes(name)):
        path = tmp_path / f"{number}{suffix}"
        record = _with(RECORDS[name], at, value)
        try:
            _written(name, record, path)
            kept = True
        except Z3traceError as error:
            assert "cannot hold this" in error.message, (at, what)
            kept = False
        assert kept == (what in ("text", "no text")), (at, what)
        lines = _read(path)
        assert lines or not kept, (at, what)
        if not kept and name.startswith("run"):
            assert lines == 2, "what was recorded before it is there"


def test_a_text_that_is_cut_shows_its_beginning_and_its_end() -> None:
    made = structs.replace(_SEEN.session, target="begin" + "x" * 600 + "end")
    kept = fitted(made)
    assert len(kept.target) == 512
    assert kept.target.startswith("begin")
    assert kept.target.endswith("end")
    assert " .. " in kept.target
    assert fitted(_SEEN.session) == _SEEN.session, "what fits stays as it is"


@pytest.mark.parametrize(
    "change",
    [
        lambda run: structs.replace(run, series=[*run.series, run.series[0]]),
        lambda run: structs.replace(
            run, series=[structs.replace(run.series[0], count=run.series[0].count + 1)]
        ),
        lambda run: structs.replace(
            run, series=[structs.replace(run.series[0], buckets=run.series[0].buckets[::-1])]
        ),
        lambda run: structs.replace(
            run, series=[structs.replace(run.series[0], min=run.series[0].max + 1)]
        ),
        lambda run: structs.replace(
            run,
            series=[structs.replace(run.series[0], operation=f"o{i}") for i in range(96)],
            result=structs.replace(run.result, facts={f"f{i}": 1 for i in range(64)}),
        ),
    ],
)
def test_what_must_hold_in_a_whole_run_the_writer_looks_at_too(change: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.z3t"
    good = recording(runs=2)
    made = structs.replace(good, runs=[good.runs[0], change(good.runs[1])])
    with pytest.raises(Z3traceError, match="what was recorded is kept"):
        samples_write(path, made)
    assert len(runfile.read(tmp_path / "x.z3t.part").runs) == 1
