"""See waits for locks in the slow paths of the lock functions.

A task that finds a lock taken goes through one of these functions, whoever it is; one
that gets the lock at once does not.  Trampolines there cost the rest of the kernel
nothing but a part of each wait, and save the probe before every lock call of the target.
"""

from collections.abc import Callable
from dataclasses import replace

from z3trace.bpf import libbpf
from z3trace.bpf.attachments import Attachments
from z3trace.bpf.btf import KernelTypes
from z3trace.bpf.programs import Programs
from z3trace.code.kerneltext import kernel_functions
from z3trace.code.lockfunctions import SLOW_PATHS
from z3trace.probing.choice import Choice
from z3trace.probing.trampolines import all_or_none, close


def functions(types: KernelTypes) -> list[str]:
    """The kernel's slow paths; empty if one kind of lock has none that can be traced."""
    there = kernel_functions("|".join(name for names in SLOW_PATHS.values() for name in names))
    by_kind = [[name for name in names if name in there] for names in SLOW_PATHS.values()]
    if not all(by_kind):
        return []
    names = [name for names in by_kind for name in names]
    return names if all(types.function(name) for name in names) else []


def trace(attachments: Attachments, programs: Programs) -> list[int]:
    """Attach to every slow path; the programs' descriptors.

    OSError if this kernel does not allow it: it may have other locks (PREEMPT_RT), no
    BTF, or no trampolines.
    """
    types = KernelTypes()
    try:
        names = functions(types)
        if not names:
            raise OSError("the kernel's locks have no slow paths that can be traced")
        with all_or_none() as descriptors:
            for name in names:
                where = (types.function(name) or 0, types.fd)
                descriptors.append(programs.load("slow_path", attach=libbpf.FENTRY, where=where))
                attachments.trace(descriptors[-1], libbpf.FENTRY)
    finally:
        types.close()
    return descriptors


def settled(choice: Choice, programs: Programs, say: Callable[[str], None]) -> Choice:
    """*choice*, with waits seen at the call sites if they cannot be seen in slow paths
    here; then *say* is told why."""
    if not choice.slow_paths:
        return choice
    attachments = Attachments()
    try:
        close(trace(attachments, programs))
    except OSError as error:
        say(f"waits are seen at the call sites: {str(error).splitlines()[0]}")
        return replace(choice, slow_paths=False)
    finally:
        attachments.close()
    return choice
