"""What a guest's console says of its health: lockups, oopses, panics, out of memory."""

import re

#: What a console line means for the guest, and whether the guest is lost by it.
SYMPTOMS = (
    (re.compile(r"watchdog: BUG: soft lockup.*"), "soft lockup", True),
    (re.compile(r"Kernel panic - not syncing.*"), "kernel panic", True),
    (
        re.compile(r"BUG: (?!soft lockup).*|Oops: .*|general protection fault.*"),
        "kernel oops",
        True,
    ),
    (re.compile(r"rcu: INFO: rcu_\w+ .*detected.*stall.*"), "RCU stall", True),
    (re.compile(r"INFO: task .* blocked for more than .*"), "hung task", False),
    (re.compile(r"Out of memory: Killed process.*|oom-kill:.*"), "out of memory", False),
    (re.compile(r"z3trace-guest: cannot .*"), "guest set-up failed", True),
)


def symptoms(console: str) -> list[tuple[str, str, bool]]:
    """(name, console line, guest lost) of everything bad a console says, in order."""
    found = []
    for line in console.splitlines():
        for pattern, name, lost in SYMPTOMS:
            match = pattern.search(line)
            if match:
                found.append((name, match.group(0).strip(), lost))
                break
    return found
