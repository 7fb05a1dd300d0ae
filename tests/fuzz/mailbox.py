"""``make fuzz``: what is handed over as a patch, mutated: mails, mailboxes, diffs, packed files.

Each form of ``tests/mails.py`` is cut, has bytes and lines changed, doubled, swapped or made
long, headers and numbers replaced, and is read and applied as a user's: that must end in a
source or in one of our errors of one line and a hint, within 5 seconds and 500 MB, and
change no file but the source and headers beside it.

    mailbox.py [how many] [first seed]
"""

import gzip
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import chdir
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import mails
from fuzz import trials
from hostile import UNIFIED, Prey

from z3trace.kernels import patch

#: Of an error: it shows a hunk, or what spatch says.
_LINES = 60
_NUMBERS = [b"0", b"-1", b"1", b"99999", b"4294967296", b"9" * 5000]
_HEADERS = [
    b"Content-Type: multipart/mixed; boundary=x",
    b"Content-Type: message/rfc822",
    b"Content-Type: text/plain; charset=idna",
    b"Content-Type: text/plain; charset=utf-16",
    b"Content-Type: text/plain; format=flowed; delsp=yes",
    b"Content-Transfer-Encoding: base64",
    b"Content-Transfer-Encoding: quoted-printable",
    b"Content-Transfer-Encoding: uuencode",
    b"Subject: Re: [PATCH v3 1/2] x",
    b"Subject: [PATCH 2/2] =?utf-8?b?====?=",
    b"Subject: " + b"=?x?q?" * 500,
    b"In-Reply-To: <x@y>",
    b"--x",
    b"--x--",
    b"From x Mon Sep 17 00:00:00 2001",
    b"--- a/mm/x.c\n+++ b/mm/x.c",
    b"--- /dev/null\n+++ b/mm/y.h",
    b"--- a/../../x\n+++ b/../../x",
    b"diff --git a/mm/x.c b/mm/x.c",
    b"rename from mm/x.c",
    b"new file mode 120000",
    b"GIT binary patch",
    b"Binary files a/mm/x.c and b/y differ",
    b"@@ -1,3 +1,3 @@ static int f3(void)",
    b"@@ -0,0 +1 @@",
    b"\\ No newline at end of file",
    b"\xff\xfe",
    b"\0",
]


def _bytes(rng: random.Random, data: bytes) -> bytes:
    made = bytearray(data)
    for _ in range(rng.choice([1, 3, 30])):
        at = rng.randrange(len(made))
        made[at] = rng.choice([made[at] ^ 1 << rng.randrange(8), rng.randrange(256), 10])
    return bytes(made)


def _cut(rng: random.Random, data: bytes) -> bytes:
    one, other = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    return data[:one] if rng.random() < 0.5 else data[:one] + data[other:]


def _lines(rng: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    for _ in range(rng.choice([1, 2, 5])):
        one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        kind = rng.randrange(4)
        if kind == 0:
            lines.insert(one, rng.choice(_HEADERS))
        elif kind == 1:
            lines[one], lines[other] = lines[other], lines[one]
        elif kind == 2:
            lines[one] = rng.choice(_HEADERS)
        else:
            lines[one:one] = lines[other : other + rng.choice([1, 10, 1000])]
    return b"\n".join(lines)


def _numbers(rng: random.Random, data: bytes) -> bytes:
    """Numbers of hunks, of series, and whatever else is one."""
    places = [at for at in range(len(data)) if data[at : at + 1].isdigit()]
    for at in sorted(rng.sample(places, min(len(places), 5)), reverse=True):
        data = data[:at] + rng.choice(_NUMBERS) + data[at + 1 :]
    return data


def _large(rng: random.Random, data: bytes) -> bytes:
    at = data.find(b"\n", rng.randrange(len(data))) + 1
    size = rng.choice([1 << 12, 1 << 18, 1 << 21])
    piece = rng.choice([*_HEADERS, b"x", b" ", b"+", b'";', b"=?", b"> "])
    piece += b"\n" * rng.randrange(2)
    return data[:at] + piece * (size // len(piece)) + data[at:]


def _hostile(rng: random.Random, data: bytes) -> bytes:
    attack = UNIFIED[rng.choice(sorted(UNIFIED))](Prey(Path("/outside/canary"), 1, 1))
    at = data.find(b"\n", rng.randrange(len(data))) + 1
    return data[:at] + attack.encode("latin-1", "replace") + data[at:]


_CHANGES: list[Callable[[random.Random, bytes], bytes]] = [
    *(_bytes, _cut, _lines, _lines, _numbers, _hostile),
]


def mutated(rng: random.Random, data: bytes) -> bytes:
    """One to three changes of what was good."""
    packed = data.startswith(b"\x1f\x8b")
    if packed and rng.random() < 0.7:
        data = gzip.decompress(data)
    for _ in range(rng.randrange(1, 4)):
        change = _large if rng.random() < 0.03 else rng.choice(_CHANGES)
        data = change(rng, data) or b"x"
    return gzip.compress(data, 1) if rng.random() < 0.1 else data


def _listing(directory: Path) -> dict[str, int]:
    """Every file below, with its size; links as such."""
    return {str(path): path.lstat().st_size for path in directory.rglob("*") if not path.is_dir()}


def _used(files: list[Path], tree: Path, fuzz: int) -> str:
    """Read and apply them, as a user's."""
    said: list[str] = []
    patches = patch.read_all(files, said.append)
    patch.apply(patches, tree, mails.SOURCE, patch.Way(lambda _, text: said.append(text), fuzz))
    if any("\n" in line or len(line) > 1000 for line in said):
        return f"{trials.FAILED}: said {max(said, key=len)}"
    return "applied"


def _tried(home: Path, rng: random.Random, files: mails.Files) -> str:
    """What became of one mutation in *home*, which is as before afterwards."""
    tree, paths = home / "tree", []
    for number, data in enumerate(files.values()):
        paths.append(home / f"given/{number}.patch")
        paths[-1].write_bytes(mutated(rng, data) if rng.random() < 0.7 else data)
    (tree / mails.SOURCE).write_text(mails.BEFORE)
    before = _listing(home)
    outcome = trials.ended(partial(_used, paths, tree, rng.randrange(4)), _LINES)
    after = _listing(home)
    changed = {path for path, _ in before.items() ^ after.items()}
    if any(not path.startswith(str((tree / mails.SOURCE).parent)) for path in changed):
        outcome = f"{trials.FAILED}: wrote {sorted(changed)}"
    for path in after.keys() - before.keys():
        Path(path).unlink()
    return outcome


def kinds(forms: dict[str, mails.Files]) -> dict[str, dict[str, mails.Files]]:
    """The forms that are mails, and those that are patches and nothing else."""
    bare = {name for name in forms if name == "quilt" or name.startswith("diffs")}
    patches = {name: files for name, files in forms.items() if name in bare}
    packed = {
        f"{name}, packed": {f"{file}.gz": gzip.compress(data) for file, data in files.items()}
        for name, files in patches.items()
    }
    return {
        "mails": {name: files for name, files in forms.items() if name not in bare},
        "patches": patches | packed,
    }


def fuzz(count: int, first: int = 0) -> Counter[str]:
    """What became of *count* mutations of mails and of as many of patches; those that ended
    badly are printed."""
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        every = kinds(mails.all_forms(mails.sent(home / "git")))
        (home / "tree" / mails.SOURCE).parent.mkdir(parents=True)
        (home / "given").mkdir()
        with chdir(home / "given"):
            for kind, forms in every.items():
                outcomes += _of_kind(home, kind, sorted(forms.items()), range(first, first + count))
    return outcomes


def _of_kind(
    home: Path, kind: str, forms: list[tuple[str, mails.Files]], seeds: range
) -> Counter[str]:
    """What became of the mutations of one kind, a seed each."""

    def trial(seed: int) -> str:
        rng = random.Random(seed)
        form, files = rng.choice(forms)
        outcome = _tried(home, rng, files)
        return f"{outcome} ({form})" if outcome.startswith(trials.FAILED) else outcome

    return trials.tried(kind, seeds, trial)


if __name__ == "__main__":
    sys.exit(trials.main(fuzz, sys.argv[1:]))
