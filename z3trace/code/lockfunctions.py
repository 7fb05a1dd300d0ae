"""The kernel's lock functions: what each does, to which kind of lock, and where it waits.

A new lock function is a row of ``_FAMILIES``; a new place where tasks wait for locks is a
name in ``SLOW_PATHS``.  Nothing else in z3trace knows lock functions by name.
"""

import re
from dataclasses import dataclass
from typing import Literal

Action = Literal["acquire", "try", "release"]
Kind = Literal["spin", "read", "write"]


@dataclass(frozen=True)
class LockFunction:
    """A function that modules call to take a lock, to try that, or to release it.

    A reader-writer lock is of kind "read" or "write", by what it is taken for.
    """

    name: str
    action: Action
    kind: Kind


#: (name, action, kind, endings of the forms that disable interrupts or name a lockdep
#: subclass); include/linux/spinlock_api_smp.h and rwlock_api_smp.h.
_FAMILIES: tuple[tuple[str, Action, Kind, tuple[str, ...]], ...] = (
    (
        *("_raw_spin_lock", "acquire", "spin"),
        ("_bh", "_irq", "_irqsave", "_nested", "_irqsave_nested"),
    ),
    ("_raw_spin_trylock", "try", "spin", ("_bh",)),
    ("_raw_spin_unlock", "release", "spin", ("_bh", "_irq", "_irqrestore")),
    ("_raw_read_lock", "acquire", "read", ("_bh", "_irq", "_irqsave")),
    ("_raw_read_trylock", "try", "read", ()),
    ("_raw_read_unlock", "release", "read", ("_bh", "_irq", "_irqrestore")),
    ("_raw_write_lock", "acquire", "write", ("_bh", "_irq", "_irqsave", "_nested")),
    ("_raw_write_trylock", "try", "write", ()),
    ("_raw_write_unlock", "release", "write", ("_bh", "_irq", "_irqrestore")),
    # What spinlocks and rwlocks are on PREEMPT_RT, where their holders may sleep, but stay
    # on their CPU (include/linux/spinlock_rt.h, rwlock_rt.h).
    ("rt_spin_lock", "acquire", "spin", ("_nested",)),
    ("rt_spin_trylock", "try", "spin", ("_bh",)),
    ("rt_spin_unlock", "release", "spin", ()),
    ("rt_read_lock", "acquire", "read", ()),
    ("rt_read_trylock", "try", "read", ()),
    ("rt_read_unlock", "release", "read", ()),
    ("rt_write_lock", "acquire", "write", ("_nested",)),
    ("rt_write_trylock", "try", "write", ()),
    ("rt_write_unlock", "release", "write", ()),
)

LOCK_FUNCTIONS: dict[str, LockFunction] = {
    name + ending: LockFunction(name + ending, action, kind)
    for name, action, kind, endings in _FAMILIES
    for ending in ("", *endings)
}
#: A regular expression that is the name of any of them.
PATTERN = "|".join(map(re.escape, LOCK_FUNCTIONS))

#: Where a task goes that does not get its lock at once, by kind of lock.  Of the names
#: of a kind a kernel has one or more, by its configuration (kernel/locking/qspinlock.c,
#: qrwlock.c): with paravirtual spinlocks the first is called native, and guests of some
#: hypervisors use the third.
SLOW_PATHS: dict[Kind, tuple[str, ...]] = {
    "spin": (
        "queued_spin_lock_slowpath",
        "native_queued_spin_lock_slowpath",
        "__pv_queued_spin_lock_slowpath",
    ),
    "read": ("queued_read_lock_slowpath",),
    "write": ("queued_write_lock_slowpath",),
}

#: A function that takes or releases a lock and does nothing else, by its name: inlined
#: helpers of the kernel and of modules, such as spin_lock and z3fold_page_trylock.
LOCK_HELPER = re.compile(r"(^|_)(try|un)?lock(_bh|_irq|_irqsave|_irqrestore|_nested)?$")
