"""The class of each lock call of a timed build: by the target's rules, else by its name.

A rule names a member of a structure.  Which member a call takes is known from debug
information; where that does not tell, the member's name and the kind of the lock decide, if
only one rule fits.  A lock that no rule knows is its own class, called after its member.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from z3trace.code.module import TimedCallFact
from z3trace.data import limits
from z3trace.target.definition import LockRule, Target

OTHER = "other"
#: Classes whose locks have a name of their own; the rest is "other", class 0.
_MOST_NAMES = limits.CLASSES - 1
_KINDS = {"rw": ("read", "write"), "spin": ("spin",)}
_KIND_OF = {"rwlock": "rw", "spinlock": "spin", "object": "spin"}


@dataclass(frozen=True)
class Classes:
    """*names*: the classes, of which number 0 is ``other``; *of_calls*: the class of each
    call; *folded*: the names that ``other`` stands for, as there is room for 15 others."""

    names: list[str]
    of_calls: list[str]
    folded: list[str]


def classify(calls: Sequence[TimedCallFact], target: Target) -> Classes:
    """The classes of *calls*: the target's own first, then those with most calls."""
    ruled = list(dict.fromkeys(rule.lock_class for rule in target.locks))
    homes: dict[str, set[str]] = {}
    for call in calls:
        if _by_rule(call, target.locks) is None:
            homes.setdefault(call.member, set()).add(call.structure)
    named = [
        _by_rule(call, target.locks) or _own_name(call, homes[call.member], ruled) for call in calls
    ]
    own = [name for name, _ in Counter(named).most_common() if name not in ruled]
    kept = [name for name in ruled if name in named]
    room = _MOST_NAMES - len(kept)
    kept += own[:room]
    return Classes([OTHER, *kept], [name if name in kept else OTHER for name in named], own[room:])


def _fits(rule: LockRule, call: TimedCallFact) -> bool:
    kind = rule.kind or _KIND_OF.get(rule.where, "")
    return rule.member == call.member and call.kind in _KINDS.get(kind, (call.kind,))


def _by_rule(call: TimedCallFact, rules: Sequence[LockRule]) -> str | None:
    if call.structure:
        known = (rule for rule in rules if rule.struct == call.structure)
        return next((rule.lock_class for rule in known if _fits(rule, call)), None)
    if not call.is_member:
        return None
    found = {rule.lock_class for rule in rules if _fits(rule, call)}
    return found.pop() if len(found) == 1 else None


def _own_name(call: TimedCallFact, homes: set[str], ruled: Sequence[str]) -> str:
    """The member's name, with its structure's where the name alone would be another's."""
    name = call.member or call.expression
    if call.structure and (len(homes) > 1 or name in (*ruled, OTHER)):
        name = f"{call.structure}.{name}"
    elif name in (*ruled, OTHER):
        name = f"{name}?"
    return name[: limits.WORD]
