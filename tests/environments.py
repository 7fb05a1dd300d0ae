"""Command lines in the environments that users have: what must not end in a traceback."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

#: What no user is to read.
NEVER = ("Traceback (most recent call last)", "a bug of z3trace", "Exception ignored", "[Errno")


@dataclass(frozen=True)
class Surroundings:
    """An environment to start a command in: *set* and *unset* variables, what its standard
    streams are, and what a shell does before (*first*)."""

    name: str
    set: dict[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    stdin: str = ""
    stdout: str = ""
    stderr: str = ""
    first: str = ""


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
        Surroundings("HOME takes no files", {"HOME": "/proc"}, ("Z3TRACE_CACHE",)),
        Surroundings("no such locale", {"LC_ALL": "xx_XX.UTF-8", "TZ": "None/Where"}),
        Surroundings("nowhere for temporary files", {"TMPDIR": "/none"}),
        Surroundings("dumb terminal", {"TERM": "dumb"}),
        Surroundings("no terminal type", unset=("TERM",)),
        Surroundings("40 columns", {"COLUMNS": "40"}),
        *(Surroundings(f"{n} columns", {"COLUMNS": n}) for n in ("0", "1", "-3", "x", "9" * 9)),
        Surroundings("no PATH", {"PATH": ""}),
        Surroundings("stdin closed", stdin="closed"),
        Surroundings("stdout closed", stdout="closed"),
        Surroundings("stderr closed", stderr="closed"),
        Surroundings("stderr full", stderr="full"),
        Surroundings("no stream at all", stdin="closed", stdout="closed", stderr="closed"),
        Surroundings("stdout full", stdout="full"),
        Surroundings("stdout a pipe that ends", stdout="gone"),
        Surroundings("a broken pipe is ignored", stdout="gone", first="trap '' PIPE"),
        Surroundings("files may hold nothing", first="ulimit -f 0"),
        Surroundings("few files open", first="ulimit -n 24"),
        Surroundings("nobody may do anything", first="umask 777"),
        Surroundings("the directory is gone", first='d=$(mktemp -d); cd "$d"; rmdir "$d"'),
    ]


#: Runs command lines in forks of one process, that has what they import: a fork is as a
#: process of its own from the first word of ``main`` to the end of the interpreter.
#: Arguments: the lines, descriptors to capture, modules, seconds, and where to report.
_FORKS = """
import atexit, fcntl, importlib, json, os, select, signal, sys, time
lines, captured, modules, seconds, report = map(json.loads, sys.argv[1:])
from z3trace.cli import main
for module in modules:
    importlib.import_module(module)
for words in lines:
    # Away from standard streams that are closed.
    pipe = os.pipe()
    reading, writing = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 12) for end in pipe)
    for end in pipe:
        os.close(end)
    child = os.fork()
    if not child:
        # What the parent imported is the parent's to tidy up.
        atexit._clear()
        for number in captured:
            os.dup2(writing, number)
        for end in (reading, writing, report):
            os.close(end)
        sys.argv = ["z3trace", *words]
        main()
    os.close(writing)
    said, ends = b"", time.monotonic() + seconds
    while select.select([reading], [], [], max(ends - time.monotonic(), 0))[0]:
        more = os.read(reading, 1 << 16)
        if not more:
            break
        said += more
    late = time.monotonic() > ends
    if late:
        os.kill(child, signal.SIGKILL)
    os.close(reading)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    result = {"code": code, "said": said.decode(errors="replace"), "hangs": late}
    os.write(report, json.dumps(result).encode() + b"\\n")
"""
_SECONDS = 60
#: What most command lines import; it takes longer than they do.
HEAVY = (
    "z3trace.analysis.comparing.comparison",
    "z3trace.analysis.plots.trendplot",
    "z3trace.analysis.report.formats",
    "z3trace.analysis.report.terminal",
)


@dataclass(frozen=True)
class Ended:
    """How a command line ended: its exit code, both its outputs, whether it had to be ended."""

    code: int
    said: str
    hangs: bool = False


def _redirected(around: Surroundings, words: list[str]) -> list[str]:
    """*words* under a shell that gives them the streams that are wanted."""
    ends = {"": "", "closed": ">&-", "full": ">/dev/full", "gone": "| true"}[around.stdout]
    begins = {"": "</dev/null", "closed": "<&-"}[around.stdin]
    errors = {"": "", "closed": "2>&-", "full": "2>/dev/full"}[around.stderr]
    first = f"{around.first}; " * bool(around.first)
    return ["/bin/sh", "-c", f'{first}"$0" "$@" {begins} {errors} {ends}', *words]


def started(
    lines: list[list[str]], around: Surroundings, cwd: Path, modules: tuple[str, ...] = ()
) -> list[Ended]:
    """How z3trace ends with each of *lines*; fewer if what starts them ends before, the last
    with what it said."""
    kept = {name: value for name, value in os.environ.items() if name not in around.unset}
    captured = [1] * (not around.stdout) + [2] * (not around.stderr)
    reading, report = os.pipe()
    words = [json.dumps(each) for each in (lines, captured, modules, _SECONDS, report)]
    with os.fdopen(reading) as told, ThreadPoolExecutor(1) as reader:
        found = reader.submit(told.read)
        try:
            result = subprocess.run(
                _redirected(around, [sys.executable, "-c", _FORKS, *words]),
                env={**kept, **around.set},
                cwd=cwd,
                capture_output=True,
                pass_fds=[report],
                check=False,
            )
        finally:
            os.close(report)
        ended = [Ended(**json.loads(line)) for line in found.result().splitlines()]
    said = (result.stdout + result.stderr).decode(errors="replace")
    return [*ended, Ended(result.returncode, said)] if said or len(ended) < len(lines) else ended


def command_lines(directory: Path, recordings: tuple[Path, Path]) -> list[list[str]]:
    """A command line or more of each verb that needs no guest, good ones and bad ones."""
    before, after = map(str, recordings)
    fifo, odd = str(directory / "fifo"), os.fsdecode(b"not-utf8-\xff.z3t")
    with suppress(OSError):
        (directory / odd).write_bytes(b"\xff\xfe")
    elsewhere = ["--release", "no-such-release"]
    target = directory / "broken.toml"
    target.write_bytes(b"name = '\xff'\n")
    return [
        ["--help"],
        ["--version"],
        ["show", before],
        ["show", "--sites", before],
        ["show", odd],
        ["show", "--histograms", before],
        ["show", fifo],
        ["show", str(directory)],
        ["show", "/dev/stdin"],
        ["compare", "--allow-mismatch", before, after],
        ["compare", before, odd],
        ["compare", "--allow-mismatch", "--histograms", before, after],
        ["compare", before, after, "--allow-mismatch", "--report", "/dev/full.txt"],
        ["compare", "--allow-mismatch", before, after, "--fail-on-regression", "5"],
        ["compare", before, before, "--fail-on-regression=nan"],
        ["compare", "--allow-mismatch", before, after, "--report", "out.html", "--plots", "plots"],
        ["trend", str(directory)],
        ["trend", str(directory), "--json"],
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
        ["kernel", "build", *elsewhere],
        ["kernel", "build", "--patch", odd, *elsewhere],
        ["review", odd, "--base", "packaged", *elsewhere],
        ["review", str(directory / "none.mbox"), "--base", odd, *elsewhere],
        ["review", str(target), *elsewhere],
        ["ab", *elsewhere, "-o", "out"],
        ["vm", *elsewhere, "--", "true"],
        ["no-such-verb"],
    ]


def walk(
    lines: list[list[str]],
    all_around: list[Surroundings],
    cwd: Path,
    modules: tuple[str, ...] = HEAVY,
) -> Iterator[str]:
    """What went wrong, a sentence each: a traceback, a bug, an exit code of no meaning."""
    for around in all_around:
        found = started(lines, around, cwd, modules)
        if len(found) != len(lines):
            yield f"({around.name}) {len(found)} of {len(lines)} ended: {found[-1].said[-800:]}"
        for words, ended in zip(lines, found, strict=False):
            where = f"z3trace {' '.join(words)!r} ({around.name})"
            for never in NEVER:
                if never in ended.said:
                    yield f"{where} says {never!r}: {ended.said[-800:]}"
            if ended.hangs:
                yield f"{where} hangs"
            elif ended.code not in (0, 1, 2, 3, 4, 5, 6, 130):
                yield f"{where} ends with {ended.code}: {ended.said[-400:]}"
