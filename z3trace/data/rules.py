"""The rules of a check, one row each: its number, what it says, what it needs.

Numbers are those of ``enum z3t_check_rule`` in ``probes/check.h``; a test compares the
two.  Everything that knows a rule by name or number looks it up here.
"""

from dataclasses import dataclass
from typing import Literal

#: Why ``free-while-held`` is not judged where the target's definition leaves it out: that
#: makes no check incomplete.
NO_FREES = "the target names no function that frees"


@dataclass(frozen=True)
class Rule:
    """A rule of lock discipline.

    *number*: in the kernel's programs; None for what is judged afterwards, from the order
    of locks.  *meaning*: what a broken rule says, in the words of a review.  *here* and
    *there*: what stands before the place of the offence, and before the other place that
    belongs to it.  *needs*: the call sites that must all be seen for it to be judged.  A
    release that is not seen leaves its lock among those that its task holds, and would
    break every rule that looks at these; an acquisition that is not seen leaves a release
    that nothing belongs to.
    """

    name: str
    number: int | None
    meaning: str
    here: str = "at"
    there: str = "with"
    needs: Literal["", "releases", "all"] = ""


RULES = (
    Rule(
        "held-at-return",
        1,
        "a lock that was taken is still held when the operation returns",
        "taken at",
        needs="all",
    ),
    Rule(
        "unheld-at-return",
        2,
        "the operation returns without the lock that its contract says it holds",
        needs="all",
    ),
    Rule(
        "release-unheld",
        3,
        "a lock is released that was not taken",
        "released at",
        needs="all",
    ),
    Rule(
        "foreign-release",
        4,
        "a lock is released by another task than the one that holds it",
        "released at",
        "taken at",
        needs="all",
    ),
    Rule(
        "double-acquire",
        5,
        "a task asks for a lock that it holds: it waits for itself",
        "asked for at",
        "held since",
        needs="releases",
    ),
    Rule(
        "order-inversion",
        6,
        "two locks are asked for in both orders: two tasks can deadlock",
        "asked for at",
        "under the one taken at",
        needs="releases",
    ),
    Rule(
        "long-hold",
        7,
        "a lock was held for longer than the limit",
        "taken at",
        "released at",
        needs="releases",
    ),
    Rule(
        "sleep-in-atomic",
        8,
        "a task was scheduled away while it held a spinlock",
        "taken at",
        needs="releases",
    ),
    Rule(
        "free-while-held",
        9,
        "memory was given back with a held lock in it",
        "taken at",
        needs="releases",
    ),
    Rule(
        "stuck-wait",
        10,
        "a task waits for a lock for longer than the limit",
        "waits at",
        "held since",
    ),
    Rule(
        "new-nesting",
        None,
        "a lock is asked for under another, which the reference never saw",
        "asked for at",
        "under the one taken at",
        needs="releases",
    ),
)
BY_NAME = {rule.name: rule for rule in RULES}
#: Told of like an offence, for the first time that a condition of the target is met.
CONDITION_MET = "condition-met"
#: Names by their numbers in the kernel's programs; number 0 is none.
IN_KERNEL = ("", *(rule.name for rule in RULES if rule.number is not None), CONDITION_MET)

#: What a step of a trail was, by ``enum z3t_step_kind``.
STEP_KINDS = ("asks for", "acquires", "fails to get", "releases")
#: Tests of a condition, in the order of their numbers.
TESTS = ("called", "has-bits", "list-empty", "nonzero", "zero")
