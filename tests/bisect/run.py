"""``make bisect``: ``git bisect run z3trace ab ... --bisect`` with git, builds and guests as
they are.

Ten commits of mm/z3fold.c on top of the packaged one, in a repository of their own.  One of
them takes the pool's lock in a loop, and another one, which the bisection tests first, does
not build.  Writes build/bisect/results.json, a flat ``figures`` object, and git's log.
"""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

from z3trace import paths
from z3trace.kernels import fetch

ROOT = Path(__file__).parents[2]
OUT = ROOT / "build/bisect"
SOURCE = "mm/z3fold.c"
RELEASE = "6.1"
COMMITS, BROKEN, LOOP = 10, 5, 7
_AT = "\tzhdr = get_z3fold_header(handle);\n\taddr = zhdr;\n"
_LOOP = """\
\tfor (int i = 0; i < 16; i++) {
\t\tspin_lock(&pool->lock);
\t\tcpu_relax();
\t\tspin_unlock(&pool->lock);
\t}
"""
_WORKLOAD = "zpool-bench:type=z3fold,threads=1,ops=20000,slots=256,max_size=200"


def _git(tree: Path, *words: str) -> str:
    names = [f"-c{key}={value}" for key, value in (("user.name", "A"), ("user.email", "a@b"))]
    command = ["git", *names, "-C", str(tree), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _changed(code: str, number: int) -> str:
    """What commit *number* makes of the source."""
    if number == BROKEN:
        return code.replace("#include <linux/zpool.h>", "#include <linux/zpool.h>\nint broken")
    if number == BROKEN + 1:
        code = code.replace("\nint broken", "")
    if number == LOOP:
        assert code.count(_AT) == 1
        return code.replace(_AT, _LOOP + _AT)
    return f"{code}\n/* {number} */\n"


def _repository(tree: Path, packaged: Path) -> list[str]:
    """The commits, the good one first."""
    paths.remove_tree(tree)
    (tree / "mm").mkdir(parents=True)
    _git(tree, "init", "-q")
    code, names = packaged.read_text(), []
    for number in range(COMMITS + 1):
        code = _changed(code, number) if number else code
        (tree / SOURCE).write_text(code)
        _git(tree, "add", SOURCE)
        _git(tree, "commit", "-q", "-m", f"z3fold: change {number}")
        names.append(_git(tree, "rev-parse", "HEAD").strip())
    return names


def main() -> int:
    tree = OUT / "linux"
    names = _repository(tree, fetch.cached(RELEASE, print).source(SOURCE))
    (OUT / "good.c").write_text(_git(tree, "show", f"{names[0]}:{SOURCE}"))
    command = [sys.executable, "-m", "z3trace", "ab", "--release", RELEASE]
    command += ["--before", str(OUT / "good.c"), "--after", ".", "--workload", _WORKLOAD]
    command += ["--runs", "3", "--probe", "all", "--no-timed", "--no-calibrate"]
    command += ["-o", str(OUT / "ab"), "--force", "--bisect"]
    _git(tree, "bisect", "start", names[-1], names[0])
    started = time.monotonic()
    made = subprocess.run(["git", "bisect", "run", *command], cwd=tree, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)  # fmt: skip
    took = time.monotonic() - started
    log = _git(tree, "bisect", "log")
    (OUT / "bisect.log").write_text(f"{made.stdout}\n{log}")
    first = re.search(r"([0-9a-f]{40}) is the first bad commit", made.stdout)
    figures = {
        "found": names.index(first[1]) if first and first[1] in names else -1,
        "steps": log.count("git bisect good") + log.count("git bisect bad") - 2,
        "skipped": log.count("git bisect skip"),
        "seconds": round(took, 1),
    }
    (OUT / "results.json").write_text(json.dumps({"figures": figures}, indent=1) + "\n")
    for name, value in figures.items():
        print(f"{name:44} {value:.4g}")
    is_right = (figures["found"], figures["skipped"]) == (LOOP, 1)
    if not is_right:
        print(made.stdout[-4000:])
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
