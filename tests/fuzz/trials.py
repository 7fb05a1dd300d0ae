"""What the fuzzers of this directory share: a seed is a trial, and each trial ends in time, in
a result or in one of our errors."""

import signal
import time
from collections import Counter
from collections.abc import Callable
from types import FrameType

from memory import peak_mb

from z3trace.errors import Z3traceError

LIMIT_SECONDS = 5
LIMIT_MB = 500
FAILED = "FAILED"
#: Failed, wrong usage, cannot be traced, cannot be compared: what a file may end in.
_CODES = (1, 2, 4, 5)


def _late(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"more than {LIMIT_SECONDS} s")


def _outcome(use: Callable[[], str], most_lines: int) -> str:
    try:
        return use()
    except Z3traceError as error:
        short = f"{error.message}{error.hint}".count("\n") < most_lines
        good = error.exit_code in _CODES and error.message and short
        return type(error).__name__ if good else f"{FAILED}: {error!r}"
    except Exception as error:
        return f"{FAILED}: {type(error).__name__}: {error}"


def ended(use: Callable[[], str], most_lines: int = 1) -> str:
    """What became of *use*: its own word, the kind of one of our errors, or FAILED and why;
    an error has at most so many lines.

    Within ``LIMIT_SECONDS``, if ``main`` runs it: else the alarm is someone else's.
    """
    ours = signal.getsignal(signal.SIGALRM) is _late
    if ours:
        signal.alarm(LIMIT_SECONDS)
    try:
        return _outcome(use, most_lines)
    finally:
        if ours:
            signal.alarm(0)


def tried(kind: str, seeds: range, trial: Callable[[int], str]) -> Counter[str]:
    """How often each outcome was that of *trial*, of one seed each; what failed is printed."""
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    for seed in seeds:
        begun = time.monotonic()
        outcome = trial(seed)
        slowest = max(slowest, time.monotonic() - begun)
        if outcome.startswith(FAILED):
            print(f"{kind}, seed {seed}: {outcome[:300]}")  # noqa: T201
            outcome = FAILED
        outcomes[outcome] += 1
    said = ", ".join(f"{n} {what}" for what, n in outcomes.most_common())
    print(f"{len(seeds)} {kind}: {said}; slowest {slowest:.2f} s")  # noqa: T201
    return outcomes


def main(fuzz: Callable[[int, int], Counter[str]], words: list[str]) -> int:
    """*fuzz* with how many and the first seed, as *words* say; 0 if each trial ended well."""
    count = int(words[0]) if words else 10_000
    first = int(words[1]) if words[1:] else 0
    signal.signal(signal.SIGALRM, _late)
    failed = fuzz(count, first)[FAILED]
    peak = peak_mb()
    print(f"peak {peak:.0f} MB")  # noqa: T201
    return int(bool(failed) or peak > LIMIT_MB)
