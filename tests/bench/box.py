"""What the box costs a build: page-lock built ten times with and without it, in turn.

The time of a processor is told beside the clock's: on a machine that does other work the
clock says more about that.  And what the box alone costs, around a program that does
nothing; a build of page-lock has six.

    box.py [builds of each]
"""

import os
import resource
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


def _build(kernel: fetch.Kernel, chosen: variant.Variant) -> Callable[[bool], None]:
    """A build from nothing."""

    def act(boxed: bool) -> None:
        with tempfile.TemporaryDirectory() as cache:
            os.environ["Z3TRACE_CACHE"] = cache
            build.build_variant(kernel, SOURCE, chosen, lambda _: None, boxed=boxed)

    return act


def _nothing(boxed: bool) -> None:
    with tempfile.TemporaryDirectory() as home:
        Box(Path(home), boxed=boxed).run(["true"], doing="nothing")


def _times(act: Callable[[bool], None], *, boxed: bool) -> tuple[float, float]:
    """(seconds of the clock, seconds of a processor)."""
    clock, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    act(boxed)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - clock, used


def _gains(act: Callable[[bool], None], pairs: int) -> tuple[float, float, float]:
    """(clock, processor, clock without the box): medians in seconds, of what the box adds."""
    clock, processor, bare = [], [], []
    for pair in range(pairs):
        order = (True, False) if pair % 2 else (False, True)
        took = {boxed: _times(act, boxed=boxed) for boxed in order}
        clock.append(took[True][0] - took[False][0])
        processor.append(took[True][1] - took[False][1])
        bare.append(took[False][0])
    return statistics.median(clock), statistics.median(processor), statistics.median(bare)


def main() -> int:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    kernel, chosen = fetch.cached(None, print), variant.load("page-lock")
    act = _build(kernel, chosen)
    act(True)
    clock, _, _ = _gains(_nothing, 100)
    print(f"a box around nothing: {clock * 1000:+.1f} ms; {STEPS} of them {STEPS * clock:+.3f} s")  # noqa: T201
    clock, processor, bare = _gains(act, pairs)
    print(  # noqa: T201
        f"the box adds to a build of {bare:.1f} s: {clock:+.2f} s by the clock, "
        f"{processor:+.3f} s of a processor (medians of {pairs} pairs)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
