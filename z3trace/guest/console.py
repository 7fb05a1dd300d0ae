"""What a guest's console says of its health: lockups, oopses, panics, out of memory."""

import re

STALL = "RCU stall"
LOCKUP = "soft lockup"
#: The symptoms of a guest that may be well the next time.
HANGS = frozenset((STALL, LOCKUP))
#: What a console line means for the guest, and whether the guest is lost by it.
SYMPTOMS = (
    (re.compile(r"watchdog: BUG: soft lockup.*"), LOCKUP, True),
    (re.compile(r"Kernel panic - not syncing.*"), "kernel panic", True),
    (
        re.compile(r"BUG: (?!soft lockup).*|Oops: .*|general protection fault.*"),
        "kernel oops",
        True,
    ),
    (re.compile(r"rcu: INFO: rcu_\w+ .*detected.*stall.*"), STALL, True),
    (re.compile(r"INFO: task .* blocked for more than .*"), "hung task", False),
    (re.compile(r"Out of memory: Killed process.*|oom-kill:.*"), "out of memory", False),
    (re.compile(r"z3trace-guest: cannot .*"), "guest set-up failed", True),
)

#: A processor that a stall report names.  The kernel calls it a false positive when the
#: processor is idle and it was the grace period's own thread that got no time
#: (kernel/rcu/tree_stall.h), which a busy host can do to an emulated guest.
_STALLED = re.compile(r"rcu: \t\d+-.*")
_FALSE = "(false positive?)"


def _stall_is_false(report: list[str]) -> bool:
    """Whether *report*, the lines after a stall's first, blames idle processors only."""
    blamed = []
    for line in report:
        match = _STALLED.search(line)
        if not match:
            break
        blamed.append(_FALSE in line)
    return bool(blamed) and all(blamed)


def symptoms(console: str) -> list[tuple[str, str, bool]]:
    """(name, console line, guest lost) of everything bad a console says, in order."""
    found = []
    lines = console.splitlines()
    for number, line in enumerate(lines):
        for pattern, name, lost in SYMPTOMS:
            match = pattern.search(line)
            if match:
                false = name == STALL and _stall_is_false(lines[number + 1 :])
                found.append((name, match.group(0).strip(), lost and not false))
                break
    return found
