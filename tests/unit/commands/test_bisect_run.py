"""``git bisect run z3trace ab ... --bisect``, with git itself; builds and guests are made up."""

import os
import re
import subprocess
import sys
from pathlib import Path

from mails import git

TESTS = Path(__file__).parents[2]
#: What git runs: a commit with LOOP in its source takes the lock 57 times in a call, one with
#: BROKEN does not build.
RUN = """
import sys
from pathlib import Path
from types import SimpleNamespace
sys.path.insert(0, {tests!r})
from msgspec import structs
from samples import recording, write
from z3trace import cli
from z3trace.errors import Z3traceError
from z3trace.guest import vm
from z3trace.kernels import build, fetch, workloads
from z3trace.kernels.layout import Kernel

fetch.cached = lambda *_: Kernel(Path({kernel!r}), "6.1.0-0-amd64", "6.1.9-1")
workloads.build_workloads = lambda *_: None
sources = []

def built(kernel, source, chosen, say, **more):
    code = chosen.files[source]
    if b"BROKEN" in code:
        raise Z3traceError("building z3fold.ko failed")
    sources.append(code)
    return SimpleNamespace(variant=chosen.name, path=Path("x.ko"), digest=chosen.name)

def guest(kernel, verb, spec, machine, say, home, look=None):
    for name, seed in zip(home.files, (1, 2)):
        made = recording(name, runs=5, seed=seed)
        times = 57 if name == "after.z3t" and b"LOOP" in sources[-1] else 1
        runs = [structs.replace(run, sites=[structs.replace(s, acquisitions=2000 * times)
                for s in run.sites]) for run in made.runs]
        write(home.directory / name, structs.replace(made, runs=runs))
    return vm.Outcome(0, "", 1.0, (), home.files)

build.build_variant, vm.run_half = built, guest
sys.exit(cli.run(["ab", "--before", {good!r}, "--after", "mm/z3fold.c", "--no-timed",
                  "-o", {out!r}, "--force", "--bisect"]))
"""


def test_the_commit_that_adds_a_lock_in_a_loop_is_found(tmp_path: Path) -> None:
    tree = tmp_path / "linux"
    (tree / "mm").mkdir(parents=True)
    git(tree, "init", "-q")
    for number in range(11):
        text = f"int a = {number};\n"
        text += "int LOOP;\n" if number >= 7 else ""
        text += "int BROKEN;\n" if number == 5 else ""
        (tree / "mm/z3fold.c").write_text(text)
        git(tree, "add", "-A")
        git(tree, "commit", "-q", "-m", f"change {number}")
    (tmp_path / "good.c").write_text("int a;\n")
    (tmp_path / "kernel/source").mkdir(parents=True)
    script = tmp_path / "run.py"
    paths = {"tests": str(TESTS), "kernel": str(tmp_path / "kernel")}
    script.write_text(RUN.format(**paths, good=str(tmp_path / "good.c"), out=str(tmp_path / "out")))
    git(tree, "bisect", "start", "HEAD", "HEAD~10")
    environment = {**os.environ, "MPLBACKEND": "agg"}
    made = subprocess.run(
        ["git", "bisect", "run", sys.executable, str(script)],
        cwd=tree, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    assert re.search(r"is the first bad commit\n(?:.*\n)*?\s+change 7", made.stdout), made.stdout
