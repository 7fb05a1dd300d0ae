"""``make fuzz``: targets and variants of strangers, ten thousand mutated TOML files.

Each is a good one, mutated: cut, bits flipped, values of wrong types and sizes, lines
doubled or swapped, keys dotted, nested and repeated.  Reading it, planning a recording of
it and writing the recording's first line must end in a result or in one of our errors of
one line, within 5 seconds and 500 MB, and change no file.

    targets.py [how many] [first seed]
"""

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz import trials
from planned import Code
from samples import session

from z3trace import paths
from z3trace.bpf.programs import probe_source
from z3trace.data import runfile
from z3trace.data.model import Operation
from z3trace.kernels import variant
from z3trace.recording import repetitions, room
from z3trace.target import definition, plan

#: Every key that a definition can have, so that a mutation can meet each.
WHOLE = """
name = "whole"
module = "whole"
source = "mm/whole.c"
frees = ["whole_free_page"]
builtin = ["whole_*", "whole_alloc"]

[operations.alloc]
functions = ["whole_alloc", "whole_zpool_malloc"]
fails = "nonzero"
optional = true
holds = ["pool"]
arguments = ["size", "pool"]

[operations.free]
functions = ["whole_free"]

[[locks]]
class = "pool"
struct = "whole_pool"
member = "lock"
in = "pool"
optional = true

[[locks]]
class = "page"
struct = "whole_header"
member = "page_lock"
in = "page"

[[conditions]]
name = "an empty list"
functions = ["whole_alloc"]
test = "list-empty"
argument = 1
struct = "whole_pool"
member = "list"

[[conditions]]
name = "a bit"
functions = ["whole_free"]
test = "has-bits"
value = 4
"""
VALUES = [
    *("", "''", '""', "[]", "{}", "true", "nan", "-inf", "0", "-1", "1e400", "0x" + "f" * 40),
    *("9" * 4000, "1979-05-27T07:32:00Z", "07:32:00", "{a = {b = {c = 1}}}", '["x", 1, [], {}]'),
    *('"\\u0000"', '"\\u001b[2J"', '"../../x"', '"/etc/passwd"', '"' + "x" * 70_000 + '"'),
    *("[" * 200 + "]" * 200, "[" * 2000, "'''a\nb'''", '"a\\nb"', '"x; rm -rf ."', '"$(id)"'),
]
LINES = [
    *("a.b.c.d.e = 1", "[operations]", "[[operations]]", "[operations.alloc]", "[locks]", "x = 1"),
    *("[[[x]]]", "[a" + ".a" * 40 + "]", "= 1", "[", "#\x00", '"" = 1', "[operations.'']"),
    *("[" + "a." * 5000 + "a]", "a = {" + "b = {" * 300, "name = 'y'", "module = '.'"),
    *("functions = " + str([f"f{i}" for i in range(200)]), "[operations.other]", "class = 'other'"),
]


def _values(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    places = [i for i, line in enumerate(lines) if "=" in line]
    for at in rng.sample(places, min(len(places), rng.choice([1, 1, 3]))):
        lines[at] = lines[at].partition("=")[0] + "= " + rng.choice(VALUES)
    return "\n".join(lines)


def _lines(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    for _ in range(rng.choice([1, 2, 5])):
        one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        kind = rng.randrange(4)
        if kind == 0:
            lines.insert(one, rng.choice(LINES))
        elif kind == 1:
            lines[one], lines[other] = lines[other], lines[one]
        elif kind == 2:
            lines[one] = rng.choice(LINES)
        else:
            lines[one:one] = lines[other : other + rng.choice([1, 10, 1000])]
    return "\n".join(lines)


def _words(rng: random.Random, text: str) -> str:
    """One word for another that stands in the file too, everywhere or once."""
    words = sorted({word.strip("\"',[]") for word in text.split()} - {"", "="})
    old, new = rng.choice(words), rng.choice(words)
    return text.replace(old, new, rng.choice([1, -1]))


def _bytes(rng: random.Random, data: bytes) -> bytes:
    made = bytearray(data)
    for _ in range(rng.choice([1, 3, 30])):
        at = rng.randrange(len(made))
        made[at] = rng.choice([made[at] ^ 1 << rng.randrange(8), rng.randrange(256), 10])
    return bytes(made) if rng.random() < 0.7 else bytes(made[: rng.randrange(len(made))])


def _large(rng: random.Random, data: bytes) -> bytes:
    piece = rng.choice([b"#\n", b"x = 1\n", b"[[locks]]\n", b"[operations.a", b"a.", b" ", b"\xff"])
    at = data.find(b"\n", rng.randrange(len(data))) + 1
    return data[:at] + piece * (rng.choice([1 << 10, 1 << 15, 1 << 20]) // len(piece)) + data[at:]


def mutated(rng: random.Random, text: str) -> bytes:
    """One to three changes of what was good."""
    for _ in range(rng.randrange(3)):
        text = rng.choice([_values, _values, _lines, _words])(rng, text) or "x"
    data = text.encode(errors="surrogateescape")
    kind = rng.random()
    if kind < 0.25:
        return _bytes(rng, data)
    return _large(rng, data) if kind < 0.28 else data


def use_target(path: Path) -> str:
    """Read a target, plan its recording, write the recording's first line."""
    target = definition.load(str(path))
    made = plan.plan_of(target, Code.of(target), builtin=False)
    asked = repetitions.Asked(runs=10, classes=target.classes()[1:], clocks=True, own_lock=True)
    room.require_room(repetitions.of_pair(asked), len(target.operations), len(target.classes()))
    operations = [
        Operation(name=each.name, function=each.function, symbol=each.symbol)
        for each in made.operations
    ]
    written = path.with_name("written.z3t")
    with runfile.Writer(written) as writer:
        writer.session(session("x", target=target.name, operations=operations, locks=made.locks))
        writer.finish(interrupted=False)
    runfile.read(written)
    written.unlink()
    return "recorded"


def use_variant(path: Path) -> str:
    """Read a variant; its patches are read by others, see ``mailbox.py``."""
    chosen = variant.load(str(path))
    if not all(each.resolve().is_relative_to(path.parent.resolve()) for each in chosen.patches):
        return f"FAILED: {chosen.patches} lie outside"
    return "loaded"


def good() -> list[tuple[Callable[[Path], str], str]]:
    """Files as they should be, and what is done with each."""
    targets = [path.read_text() for path in (probe_source() / "targets").glob("*.toml")]
    variants = [path.read_text() for path in (paths.testbed() / "variants").glob("*.toml")]
    made = [(use_target, text) for text in [WHOLE, WHOLE, *sorted(targets)]]
    return [*made, *((use_variant, text) for text in sorted(variants))]


def fuzz(count: int, first: int = 0) -> Counter[str]:
    """What became of *count* mutations; those that ended badly are printed."""
    files = good()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "x.toml"

        def trial(seed: int) -> str:
            rng = random.Random(seed)
            use, text = rng.choice(files)
            path.write_bytes(mutated(rng, text))
            outcome = trials.ended(partial(use, path))
            left = sorted(each.name for each in Path(name).iterdir())
            return outcome if left == ["x.toml"] else f"{trials.FAILED}: left {left}"

        return trials.tried("targets and variants", range(first, first + count), trial)


if __name__ == "__main__":
    sys.exit(trials.main(fuzz, sys.argv[1:]))
