"""Command lines in the environments that users have: what must not end in a traceback."""

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

#: What no user is to read.
NEVER = ("Traceback (most recent call last)", "a bug of z3trace", "Exception ignored", "[Errno")


@dataclass(frozen=True)
class Surroundings:
    """An environment to start a command in: *set* and *unset* variables, and what its
    standard streams are."""

    name: str
    set: dict[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    stdin: str = ""
    stdout: str = ""


def surroundings(directory: Path) -> list[Surroundings]:
    """All of them; directories that they name are made below *directory*."""
    odd = [directory / name for name in ("a blank", "a,comma", "a:colon", 'a"quote', "ä→é")]
    for path in odd:
        path.mkdir(exist_ok=True)
    sealed = directory / "sealed"
    sealed.mkdir(exist_ok=True)
    (sealed / "file").write_text("no directory")
    fifo = directory / "fifo"
    if not fifo.exists():
        os.mkfifo(fifo)
    return [
        Surroundings("as usual"),
        Surroundings("locale C", {"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0"}),
        Surroundings("latin-1", {"PYTHONIOENCODING": "iso8859-1", "LC_ALL": "C"}),
        Surroundings("ascii", {"PYTHONIOENCODING": "ascii"}),
        Surroundings("no HOME", unset=("HOME", "Z3TRACE_CACHE")),
        Surroundings("HOME is a file", {"HOME": str(sealed / "file")}, ("Z3TRACE_CACHE",)),
        Surroundings("cache in a file", {"Z3TRACE_CACHE": str(sealed / "file" / "cache")}),
        Surroundings("cache is a file", {"Z3TRACE_CACHE": str(sealed / "file")}),
        *(Surroundings(f"cache in {p.name}", {"Z3TRACE_CACHE": str(p)}) for p in odd),
        Surroundings("dumb terminal", {"TERM": "dumb"}),
        Surroundings("no terminal type", unset=("TERM",)),
        Surroundings("40 columns", {"COLUMNS": "40"}),
        Surroundings("no PATH", {"PATH": ""}),
        Surroundings("stdin closed", stdin="closed"),
        Surroundings("stdout closed", stdout="closed"),
        Surroundings("stdout full", stdout="full"),
        Surroundings("stdout a pipe that ends", stdout="gone"),
    ]


def _environment(around: Surroundings) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in around.unset}
    return {**kept, **around.set}


def _redirected(around: Surroundings, words: list[str]) -> list[str]:
    """*words* under a shell that gives them the streams that are wanted."""
    ends = {"": "", "closed": ">&-", "full": ">/dev/full", "gone": "| true"}[around.stdout]
    begins = {"": "</dev/null", "closed": "<&-"}[around.stdin]
    return ["/bin/sh", "-c", f'"$0" "$@" {begins} {ends}', *words]


def started(arguments: list[str], around: Surroundings, cwd: Path) -> tuple[int, str]:
    """(exit code, both outputs) of z3trace with *arguments*."""
    words = [sys.executable, "-m", "z3trace", *arguments]
    result = subprocess.run(
        _redirected(around, words),
        env=_environment(around),
        cwd=cwd,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return result.returncode, (result.stdout + result.stderr).decode(errors="replace")


def command_lines(directory: Path, recordings: tuple[Path, Path]) -> list[list[str]]:
    """A command line or more of each verb that needs no guest, good ones and bad ones."""
    before, after = map(str, recordings)
    fifo, odd = str(directory / "fifo"), os.fsdecode(b"not-utf8-\xff.z3t")
    with suppress(OSError):
        (directory / odd).write_bytes(b"\xff\xfe")
    target = directory / "broken.toml"
    target.write_bytes(b"name = '\xff'\n")
    return [
        ["--help"],
        ["--version"],
        ["show", before],
        ["show", "--sites", before],
        ["show", odd],
        ["show", fifo],
        ["show", "/dev/stdin"],
        ["compare", "--allow-mismatch", before, after],
        ["compare", before, odd],
        ["compare", "--allow-mismatch", "--histograms", before, after],
        ["compare", before, after, "--allow-mismatch", "--report", "/dev/full.txt"],
        ["compare", "--allow-mismatch", before, after, "--fail-on-regression", "5"],
        ["compare", before, before, "--fail-on-regression=nan"],
        ["trend", str(directory)],
        ["trend", str(directory / "none")],
        ["export", before, "-o", "out.prom", "--force"],
        ["export", before, before, "-o", "out.csv", "--force"],
        ["export", before, "-o", "/dev/null/out.csv"],
        ["check", "--", "true"],
        ["target", "list"],
        ["target", "init", "no_such_module"],
        ["doctor", "--target", str(target)],
        ["doctor"],
        ["record", "-o", "new.z3t", "--", "true"],
        ["record", "--target", str(target), "-o", "new.z3t", "--", "true"],
        ["kernel", "list"],
        ["kernel", "build", "--release", "no-such-release"],
        ["ab", "--release", "no-such-release", "-o", "out"],
        ["vm", "--release", "no-such-release", "--", "true"],
        ["no-such-verb"],
    ]


def walk(lines: list[list[str]], all_around: list[Surroundings], cwd: Path) -> Iterator[str]:
    """What went wrong, a sentence each: a traceback, a bug, or an exit code of no meaning."""
    for words, around in itertools.product(lines, all_around):
        where = f"z3trace {' '.join(words)!r} ({around.name})"
        try:
            code, said = started(words, around, cwd)
        except subprocess.TimeoutExpired:
            yield f"{where} hangs"
            continue
        for never in NEVER:
            if never in said:
                yield f"{where} says {never!r}: {said[-800:]}"
        if code not in (0, 1, 2, 3, 4, 5, 130):
            yield f"{where} ends with {code}: {said[-400:]}"
