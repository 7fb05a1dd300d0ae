"""``make fuzz``: hostile patches against the box and against what refuses code.

Each attack is made three times: as a user would apply it; at the box alone, with nothing
refused before; and at the refusal alone, without a box.  Some go through a whole build.
Outside lie a file that must neither change nor be shown, a port that must not be called,
and a process that must not be stopped.

    patches.py [attacks] [of them built]
"""

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from hostile import CODE, SOURCE, Attack, Prey, attacks

from z3trace.errors import Z3traceError
from z3trace.kernels import build, fetch, patch, variant
from z3trace.kernels.box import Box


class Canaries:
    """What lies outside of the box, and whether it was touched."""

    def __init__(self, directory: Path) -> None:
        # A link to it, an include of it, a copy of it would show this.
        self.secret = secrets.token_hex(16)
        self.directory = directory / "outside"
        self.directory.mkdir()
        self.file = self.directory / "canary.c"
        self.file.write_text(f"the canary\n{self.secret}\n")
        self.before = self._status()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.setblocking(False)
        self.process = subprocess.Popen(["sleep", "3600"])
        self.prey = Prey(self.file, self.listening.getsockname()[1], self.process.pid)

    def _status(self) -> tuple[str, int, list[str]]:
        names = sorted(path.name for path in self.directory.iterdir())
        return self.file.read_text(), self.file.lstat().st_mtime_ns, names

    def touched(self, shown: str) -> list[str]:
        """What was done to them; *shown* is all that an attack had for output."""
        touched = []
        if not self.file.exists() or self._status() != self.before:
            touched.append("file changed")
        if self.secret in shown:
            touched.append("file shown")
        try:
            self.listening.accept()
            touched.append("port called")
        except BlockingIOError:
            pass
        if self.process.poll() is not None:
            touched.append("process stopped")
        return touched

    def close(self) -> None:
        self.listening.close()
        self.process.kill()
        self.process.wait()


@contextmanager
def canaries() -> Iterator[Canaries]:
    with tempfile.TemporaryDirectory() as directory:
        made = Canaries(Path(directory))
        try:
            yield made
        finally:
            made.close()


def _files(attack: Attack, directory: Path) -> list[Path]:
    directory.mkdir()
    paths = []
    for number, (name, content) in enumerate(attack.patches):
        paths.append(directory / f"{number}{name}")
        paths[-1].write_bytes(content)
    return paths


def _applied(attack: Attack, directory: Path, *, boxed: bool) -> str:
    """Every patch of an attack applied in turn, whatever became of those before it."""
    shown: list[str] = []
    way = patch.Way(lambda _, text: shown.append(text), boxed=boxed)
    tree = directory / "tree"
    (tree / SOURCE).parent.mkdir(parents=True)
    (tree / SOURCE).write_text(CODE)
    for path in _files(attack, directory / "patches"):
        try:
            patch.apply(patch.read(path, shown.append), tree, SOURCE, way)
        except Z3traceError as error:
            shown.append(str(error))
    return "\n".join([*shown, _content(tree / SOURCE)])


def nothing_refused(attack: Attack, directory: Path, *, boxed: bool = True) -> str:
    """What patch and spatch do with an attack that nobody looked at."""
    shown = []
    tree = directory / "tree"
    (tree / SOURCE).parent.mkdir(parents=True)
    (tree / SOURCE).write_text(CODE)
    for path in _files(attack, directory / "patches"):
        command = ["patch", "-p1", "--batch", "--force"]
        if path.suffix == ".cocci":
            command = ["spatch", "--sp-file", "/dev/stdin", "--in-place", SOURCE]
        try:
            box = Box(tree, boxed=boxed)
            shown.append(box.run(command, data=path.read_bytes(), doing="fuzz", timeout=20))
        except Z3traceError as error:
            shown.append(str(error))
    return "\n".join([*shown, _content(tree / SOURCE)])


def _content(path: Path) -> str:
    try:
        return patch.read_source(path).decode(errors="replace")
    except Z3traceError:
        return ""


def _built(attack: Attack, directory: Path, kernel: fetch.Kernel) -> str:
    """A whole build of an attack, on a source of the kernel's."""
    chosen = variant.load("stock", _files(attack, directory / "patches"))
    os.environ["Z3TRACE_CACHE"] = str(directory / "cache")
    try:
        module = build.build_variant(kernel, SOURCE, chosen, lambda _: None)
    except Z3traceError as error:
        return str(error)
    files = (path for path in module.path.parent.iterdir() if path.is_file())
    return "\n".join(path.read_bytes().decode("latin-1") for path in files)


def _with_source(kernel: fetch.Kernel, directory: Path) -> fetch.Kernel:
    """The kernel, with the source that the attacks are made for."""
    for entry in kernel.directory.iterdir():
        if entry.name != "source":
            (directory / entry.name).symlink_to(entry)
    (directory / "source" / SOURCE).parent.mkdir(parents=True)
    (directory / "source" / SOURCE).write_text(CODE)
    return fetch.Kernel(directory, kernel.release, kernel.version)


def judge(count: int, builds: int = 0, seed: int = 1) -> tuple[Counter[str], list[str]]:
    """(how many were made of each kind, what was touched by which)."""
    tried: Counter[str] = Counter()
    faults = []
    with canaries() as outside, tempfile.TemporaryDirectory() as name:
        ways = {
            "applied": lambda attack, at: _applied(attack, at, boxed=True),
            "in the box, nothing refused": nothing_refused,
            "refused, without a box": lambda attack, at: _applied(attack, at, boxed=False),
        }
        made = attacks(outside.prey, count, seed)
        todo = [(way, act, attack) for attack in made for way, act in ways.items()]
        if builds:
            home = Path(name, "kernel")
            home.mkdir()
            kernel = _with_source(fetch.cached(None, print), home)
            # First those that reach the compiler.
            chosen = sorted(made, key=lambda attack: not attack.name.startswith("source of "))
            todo += [
                ("built", lambda attack, at: _built(attack, at, kernel), attack)
                for attack in chosen[:builds]
            ]
        for number, (way, act, attack) in enumerate(todo):
            directory = Path(name, str(number))
            directory.mkdir()
            touched = outside.touched(act(attack, directory))
            tried[way] += 1
            faults += [f"{way}: {attack.name}: {what}" for what in touched]
            if touched:
                outside.close()
                outside = Canaries(directory)  # noqa: PLW2901
    return tried, faults


def main() -> int:
    count, builds = (int(word) for word in [*sys.argv[1:], "300", "40"][:2])
    began = time.monotonic()
    tried, faults = judge(count, builds)
    print(f"{count} hostile inputs in {time.monotonic() - began:.0f} s:", dict(tried))  # noqa: T201
    print(f"canaries touched: {len(faults)}", *faults, sep="\n  ")  # noqa: T201
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
