"""What the box costs a build: page-lock built ten times with and without it, in turn.

On a machine that does other work the clock says more about that than about the box, so
what the box alone costs, around a program that does nothing, is measured too: a build of
page-lock has six of them.

    box.py [builds of each]
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from z3trace.kernels import build, fetch, variant
from z3trace.kernels.box import Box

SOURCE = "mm/z3fold.c"
STEPS = 6  # four semantic patches, make, pahole
Act = Callable[[bool], object]


def _build(kernel: fetch.Kernel, chosen: variant.Variant, boxed: bool) -> None:
    """A build from nothing."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["Z3TRACE_CACHE"] = cache
        build.build_variant(kernel, SOURCE, chosen, lambda _: None, boxed=boxed)


def _nothing(boxed: bool) -> None:
    with tempfile.TemporaryDirectory() as home:
        Box(Path(home), boxed=boxed).run(["true"], doing="nothing")


def _seconds(act: Act, boxed: bool) -> float:
    began = time.perf_counter()
    act(boxed)
    return time.perf_counter() - began


def _medians(act: Act, pairs: int) -> tuple[float, float]:
    """(what the box adds, how long it takes without), in seconds."""
    added, bare = [], []
    for pair in range(pairs):
        order = (True, False) if pair % 2 else (False, True)
        took = {boxed: _seconds(act, boxed) for boxed in order}
        added.append(took[True] - took[False])
        bare.append(took[False])
    return statistics.median(added), statistics.median(bare)


def main() -> int:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    kernel, chosen = fetch.cached(None, print), variant.load("page-lock")
    added, _ = _medians(_nothing, 100)
    print(f"a box around nothing: {added * 1000:+.1f} ms; {STEPS} of them: {STEPS * added:+.3f} s")  # noqa: T201
    added, bare = _medians(lambda boxed: _build(kernel, chosen, boxed), pairs)
    print(f"a build of {bare:.1f} s: {added:+.2f} s (medians of {pairs} pairs)")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
