"""The figures of a timed build as its module gives them: what is made of them, and what is
refused.  The directory in debugfs is made up here; tests/vm has the real one."""

import json
import os
import struct
from pathlib import Path

import msgspec
import pytest
from compiling import compiled

from z3trace.data import buckets
from z3trace.data.counts import LockCounts, Nesting, Series
from z3trace.data.timed import Timed
from z3trace.errors import CannotTraceError, InputError
from z3trace.recording import timed
from z3trace.recording.timed import TimedModule
from z3trace.target import definition

Z3FOLD = definition.load("z3fold")
CALLS = [
    ["z3fold.c", 10, "f", "&pool->lock", "acquire", "spin", "z3fold_pool", "lock", True],
    ["z3fold.c", 20, "f", "&pool->lock", "release", "spin", "z3fold_pool", "lock", True],
    ["z3fold.c", 30, "g", "&zhdr->page_lock", "try", "spin", "z3fold_header", "page_lock", True],
    ["z3fold.c", 40, "g", "new", "acquire", "mutex", "", "new", False],
]
NONE = (1 << 64) - 1
#: Words before the counts of calls: two, five of the ledger, the table of nested locks, and
#: all histograms.
NESTING = 2 + 5
HISTOGRAMS = NESTING + 17 * 16
HEAD = HISTOGRAMS + 2 * 16 * buckets.BUCKETS
#: Acquisitions or releases, failures, wait and hold: sum, max, min, count.
COUNTS = 2 + 8


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TimedModule:
    """A timed build beside its facts, which is "loaded"."""
    monkeypatch.setattr(timed, "_DEBUGFS", tmp_path / "debug")
    (tmp_path / "debug/z3timed-z3fold").mkdir(parents=True)
    path = compiled("int x;", tmp_path, name="z3fold.ko")
    (tmp_path / "facts.json").write_text(json.dumps({"calls": CALLS}))
    (tmp_path / "variant.json").write_text('{"variant": "v", "digest": "d", "timed": true}')
    return TimedModule(path, Z3FOLD)


def _figures(**changes: int) -> list[int]:
    """Of nothing: words of the ledger and ``w<number>`` of the rest may be changed."""
    words = [0x31444D495454335A, len(CALLS), *[0] * (HEAD - 2)]
    for _ in CALLS:
        words += [0, 0, 0, 0, NONE, 0, 0, 0, NONE, 0]
    for name, value in changes.items():
        words[int(name[1:])] = value
    return words


def _give(tmp_path: Path, words: list[int], more: bytes = b"") -> None:
    data = struct.pack(f"<{len(words)}Q", *words)
    (tmp_path / "debug/z3timed-z3fold/figures").write_bytes(data + more)


def _count(words: list[int], call: int, **counts: int) -> None:
    names = ["events", "failures"]
    names += [f"{m}_{v}" for m in ("wait", "hold") for v in ("sum", "max", "min", "count")]
    for name, value in counts.items():
        words[HEAD + call * COUNTS + names.index(name)] = value


def _bucket(words: list[int], metric: int, lock: int, value: int, count: int) -> None:
    words[HISTOGRAMS + (metric * 16 + lock) * buckets.BUCKETS + buckets.index(value)] = count


def test_calls_are_described(module: TimedModule) -> None:
    build = module.build
    assert build.digest == "d"
    assert [call.number for call in build.calls] == [0, 1, 2, 3]
    assert [call.lock for call in build.calls] == ["pool", "pool", "page", "new"]
    assert build.calls[2].expression == "&zhdr->page_lock"
    assert (build.calls[3].kind, build.calls[3].line) == ("mutex", 40)


def test_the_module_is_told_the_classes(module: TimedModule, tmp_path: Path) -> None:
    told = tmp_path / "debug/z3timed-z3fold/classes"
    told.touch()
    module.start()
    names = ["other", "page", "pool", "new"]
    assert list(told.read_bytes()) == [
        timed.EVERY,
        *(names.index(call.lock) for call in module.build.calls),
    ]


def test_figures_are_those_of_the_calls(module: TimedModule, tmp_path: Path) -> None:
    """Three acquisitions of the pool's lock, one of them with the page's held; two holds
    were timed, one wait was needed."""
    words = _figures(w2=1, w3=2, w4=3, w5=4, w6=5)
    words[NESTING + 1 * 16 + 2] = 1
    words[NESTING + 16 * 16 + 2] = 2
    _count(words, 0, events=3, wait_sum=100, wait_max=100, wait_min=100, wait_count=1)
    _count(words, 0, hold_sum=30, hold_max=20, hold_min=10, hold_count=2)
    _count(words, 1, events=3)
    _count(words, 2, failures=7)
    _bucket(words, 0, 2, 100, 1)
    _bucket(words, 1, 2, 10, 1)
    _bucket(words, 1, 2, 20, 1)
    _give(tmp_path, words)
    got = module.read()
    assert got.every == timed.EVERY
    page, pool, new = got.locks
    assert pool == LockCounts(
        lock="pool", acquisitions=3, contended=1, trylock_failures=0, releases=3
    )
    assert (page.lock, page.trylock_failures, new.lock, new.acquisitions) == ("page", 7, "new", 0)
    assert got.series == [
        Series(
            metric="wait",
            lock="pool",
            count=3,
            sum=100,
            min=0,
            max=100,
            buckets=[(0, 2), (buckets.index(100), 1)],
        ),
        Series(
            metric="hold",
            lock="pool",
            count=2,
            sum=30,
            min=10,
            max=20,
            buckets=[(10, 1), (buckets.index(20), 1)],
        ),
    ]
    assert got.nesting == [Nesting(held="page", acquired="pool", count=1)]
    call = got.calls[0]
    assert (call.acquisitions, call.contended, call.holds, call.hold_sum) == (3, 1, 2, 30)
    ledger = got.ledger
    assert (ledger.held_overflows, ledger.unmatched_releases, ledger.self_tries) == (1, 2, 3)
    assert (ledger.forgotten_tries, ledger.open_holds) == (4, 5)
    # It fits into a run file.
    assert msgspec.json.decode(msgspec.json.encode(got), type=Timed) == got


def test_every_wait_of_a_class_may_be_contended(module: TimedModule, tmp_path: Path) -> None:
    words = _figures()
    _count(words, 3, events=1, wait_sum=50, wait_max=50, wait_min=50, wait_count=1)
    _bucket(words, 0, 3, 50, 1)
    _give(tmp_path, words)
    (wait,) = module.read().series
    assert (wait.lock, wait.count, wait.min) == ("new", 1, 50)


def test_nothing_happened(module: TimedModule, tmp_path: Path) -> None:
    _give(tmp_path, _figures())
    got = module.read()
    assert (got.series, got.nesting, got.ledger.lost()) == ([], [], 0)
    assert [lock.lock for lock in got.locks] == ["page", "pool", "new"]


@pytest.mark.parametrize(
    ("words", "more", "reason"),
    [
        (_figures()[:-1], b"", "bytes of figures, not"),
        ([], b"", "gave 0 bytes of figures"),
        (_figures(), b"\0", "is larger than"),
        (_figures(w0=1), b"", "are of another build"),
        (_figures(w1=3), b"", "are of another build"),
        (_figures(w2=1 << 63), b"", "larger than any can be"),
        (_figures(w9=1 << 63), b"", "larger than any can be"),
        ([*_figures()[:HEAD], *[1 << 62] * (4 * COUNTS)], b"", "larger than any can be"),
    ],
)
def test_what_makes_no_sense_is_refused(
    module: TimedModule, tmp_path: Path, words: list[int], more: bytes, reason: str
) -> None:
    """A stranger's patch is in the module."""
    _give(tmp_path, words, more)
    with pytest.raises(InputError, match=reason):
        module.read()


def test_a_least_value_above_the_largest_is_refused(module: TimedModule, tmp_path: Path) -> None:
    words = _figures()
    _count(words, 0, events=1, hold_sum=5, hold_max=5, hold_min=6, hold_count=1)
    _bucket(words, 1, 2, 5, 1)
    _give(tmp_path, words)
    with pytest.raises(InputError, match="contradict each other"):
        module.read()


def test_no_more_is_read_than_there_can_be(module: TimedModule, tmp_path: Path) -> None:
    path = tmp_path / "debug/z3timed-z3fold/figures"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match="is larger than"):
        module.read()


def test_a_fifo_is_not_waited_for(module: TimedModule, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "debug/z3timed-z3fold/figures")
    with pytest.raises(InputError, match="no regular file"):
        module.read()


def test_a_module_that_is_not_loaded_is_said(module: TimedModule, tmp_path: Path) -> None:
    (tmp_path / "debug/z3timed-z3fold").rmdir()
    with pytest.raises(CannotTraceError, match="z3fold does not answer"):
        module.start()
    with pytest.raises(InputError, match="cannot read"):
        module.read()


def test_an_ordinary_build_is_no_timed_one(tmp_path: Path) -> None:
    path = compiled("int x;", tmp_path, name="z3fold.ko")
    with pytest.raises(CannotTraceError, match="does not time its own locks"):
        TimedModule(path, Z3FOLD)


@pytest.mark.parametrize("every", [0, 256])
def test_how_often_a_hold_is_timed_has_bounds(tmp_path: Path, every: int) -> None:
    with pytest.raises(ValueError, match="1 to 255"):
        TimedModule(tmp_path / "z3fold.ko", Z3FOLD, every)
