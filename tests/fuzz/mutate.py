"""``make fuzz``: files from strangers, ten thousand recordings and a thousand checks.

Each is a good one, mutated: cut, bits flipped, hostile numbers, huge or deep or of wrong
types, lines doubled or swapped.  Reading, showing and comparing a recording, reading and
reporting a check, must end in a result or in one of our errors, within 5 seconds and
500 MB.
"""

import gzip
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import checksamples
from fuzz import trials
from samples import recording, seen, write

from z3trace.analysis.checks import judgement
from z3trace.analysis.checks.reference import nesting_of
from z3trace.analysis.comparing.comparison import compare
from z3trace.analysis.export import openmetrics
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.plots import lockorder
from z3trace.analysis.report import checkformats, checkhtml, checkmail, formats, terminal
from z3trace.analysis.report import recording as shown
from z3trace.data import checkfile

NUMBERS = [0, -1, 1, 2**31, 2**63 - 1, 2**63, 2**64, 10**400, 1e308, 0.5, float("nan")]
VALUES: list[Any] = [None, True, [], {}, "", "\x00", "x" * 70000, "<script>", "../../x", *NUMBERS]


def _paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    found = [at]
    if isinstance(value, dict):
        for key, one in value.items():
            found += _paths(one, (*at, key))
    elif isinstance(value, list):
        for i, one in enumerate(value[:50]):
            found += _paths(one, (*at, i))
    return found


def _set(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    if not at:
        return new
    inner = value
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = new
    return value


def _typed(source: random.Random, lines: list[bytes]) -> list[bytes]:
    """Some places of some lines get a value that does not belong there."""
    for _ in range(source.randint(1, 3)):
        number = source.randrange(len(lines))
        try:
            value = json.loads(lines[number])
        except ValueError:
            continue
        at = source.choice(_paths(value))
        value = _set(value, at, source.choice(VALUES))
        lines[number] = json.dumps(value).encode()
    return lines


def _numbers(source: random.Random, lines: list[bytes]) -> list[bytes]:
    """Numbers that fit their types and nothing else."""
    number = source.randrange(len(lines))
    value = json.loads(lines[number])
    places = [at for at in _paths(value) if at]
    for at in source.sample(places, min(len(places), 20)):
        inner = value
        try:
            for key in at[:-1]:
                inner = inner[key]
            old = inner[at[-1]]
        except (KeyError, IndexError, TypeError):
            continue
        if isinstance(old, int) and not isinstance(old, bool):
            inner[at[-1]] = source.choice([0, 1, 2**32, 2**62, 2**63 - 1, old + 1])
    lines[number] = json.dumps(value).encode()
    return lines


def _order(source: random.Random, lines: list[bytes]) -> list[bytes]:
    one, other = source.randrange(len(lines)), source.randrange(len(lines))
    kind = source.randrange(3)
    if kind == 0:
        lines.insert(one, lines[other])
    elif kind == 1:
        lines[one], lines[other] = lines[other], lines[one]
    else:
        del lines[one]
    return lines


def _deep(source: random.Random, lines: list[bytes]) -> list[bytes]:
    depth = source.choice([100, 1000, 100_000])
    opening, closing = source.choice([(b"[", b"]"), (b'{"a":', b"}")])
    lines[source.randrange(len(lines))] = opening * depth + b"1" + closing * depth
    return lines


def _huge(source: random.Random, lines: list[bytes]) -> list[bytes]:
    size = source.choice([1 << 16, 1 << 20, 17 << 20])
    lines[source.randrange(len(lines))] = source.choice([b"x", b" ", b"[", b"9"]) * size
    return lines


def _bytes(source: random.Random, data: bytes) -> bytes:
    found = bytearray(data)
    for _ in range(source.choice([1, 3, 30])):
        at = source.randrange(len(found))
        found[at] = source.choice([found[at] ^ 1 << source.randrange(8), source.randrange(256)])
    return bytes(found)


def mutated(source: random.Random, good: bytes) -> bytes:
    """A mutation of a good file."""
    kind = source.randrange(8)
    if kind == 0:
        data = good[: source.randrange(len(good))]
    elif kind == 1:
        data = _bytes(source, good)
    else:
        change = [_typed, _typed, _numbers, _numbers, _order, source.choice([_deep, _huge])]
        data = b"\n".join(change[kind - 2](source, good.splitlines())) + b"\n"
    if source.random() < 0.1:
        data = gzip.compress(data, 1)
        data = _bytes(source, data) if source.random() < 0.5 else data
    return data


def use(path: Path, good: Digest) -> str:
    """Read, show and compare a recording."""
    one = Digest.read(path)
    shown.text(one, sites=True)
    found = compare(good, one, allow_mismatch=True)
    for suffix in (".txt", ".md", ".json"):
        formats.render([found], suffix)
    terminal.render([found], everything=True)
    openmetrics.text([one])
    return "compared"


def use_check(path: Path) -> str:
    """Read a check and write its reports; its own text serves as a guest's console."""
    check = checkfile.read(path)
    console = path.read_text(errors="replace")[:100_000]
    report = judgement.report(check, console, "lost", nesting_of(path))
    checkmail.render(report)
    checkformats.as_json(report)
    checkhtml.render(report, "<svg/>")
    lockorder.nodes({"": {(one.held, one.acquired): one.count for one in report.order}})
    return "reported"


def fuzz(path: Path, use_it: Callable[[Path], str], seeds: range) -> Counter[str]:
    """Mutate the good file *path* and use it, for every seed; what became of each."""
    data = path.read_bytes()

    def trial(seed: int) -> str:
        path.write_bytes(mutated(random.Random(seed), data))
        return trials.ended(partial(use_it, path))

    return trials.tried(f"{path.suffix} files", seeds, trial)


def every_kind(count: int, first: int = 0) -> Counter[str]:
    """*count* recordings, half of them with runs of every way, and a tenth as many checks."""
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        recorded, checked = Path(name) / "x.z3t", Path(name) / "x.z3c"
        for made in (recording("after", runs=3, seed=2), seen("after", runs=2, seed=2)):
            write(recorded, made)
            compared = partial(use, good=Digest.read(recorded))
            outcomes += fuzz(recorded, compared, range(first, first + count // 2))
        checksamples.write(checksamples.broken(), checked)
        outcomes += fuzz(checked, use_check, range(first, first + count // 10))
    return outcomes


if __name__ == "__main__":
    sys.exit(trials.main(every_kind, sys.argv[1:]))
