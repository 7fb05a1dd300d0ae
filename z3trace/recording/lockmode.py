"""What ``--locks auto`` comes to on this kernel, with this target's code."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from z3trace.bpf.attachments import Attachments
from z3trace.data.model import Calibration
from z3trace.errors import CannotTraceError
from z3trace.probing import choice as choosing
from z3trace.probing import locks
from z3trace.probing.choice import Choice
from z3trace.target import plan
from z3trace.target.plan import Plan


def decided(
    wanted: Choice, measured: Calibration | None, plans: Sequence[Plan]
) -> tuple[Choice, str]:
    """*wanted*, with a way to see locks in the place of "auto", and why it is that one;
    without "auto" *wanted* itself, and nothing.

    It is the cheapest of all *plans* together; where that leaves call sites unseen, the lock
    functions are added for these.
    """
    if wanted.lock_mode != "auto":
        return wanted, ""
    probes = [
        probe
        for made in plans
        for probe in (made.code.fewer_probes if wanted.slow_paths else made.code.probes)
    ]
    choice = choosing.decided(wanted, measured, probes)
    why = choosing.reason(measured, probes)
    unseen = max((_unseen(made, choice) for made in plans), default=0)
    if choice.lock_mode == "callsite" and unseen:
        choice = replace(choice, lock_mode="hybrid")
        why += f"; {unseen} lock call sites cannot carry a probe"
    return choice, why


def settled(
    wanted: Choice,
    measured: Calibration | None,
    plans: Sequence[Plan],
    note: Callable[[str], None],
) -> tuple[Choice, str]:
    """As ``decided``; *note* is told what *plans* have to say of this kernel, once each, and
    what "auto" comes to."""
    for text in dict.fromkeys(text for made in plans for text in plan.remarks(made)):
        note(text)
    choice, why = decided(wanted, measured, plans)
    if why:
        note(f"--locks auto takes {choice.lock_mode}: {why}")
    return choice, why


def _unseen(made: Plan, choice: Choice) -> int:
    """How many call sites *choice* would not see, as far as the module is there to ask."""
    attachments = Attachments()
    try:
        with suppress(CannotTraceError):
            return len(locks.cover(attachments, made, made.address(), choice).refused)
        return 0
    finally:
        attachments.close()
