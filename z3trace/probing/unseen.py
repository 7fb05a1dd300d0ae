"""Lock call sites that are not seen: why, and what is to be said of them."""

from collections.abc import Sequence

from z3trace.bpf.btf import KernelTypes
from z3trace.data.model import CallSite

NOTHING_SAFE = "no instruction here can carry a probe safely"
ON_CONDITION = "it jumps to the lock function on a condition, and a probe would see it either way"
#: Its lock function does not return to the target: it is seen at its call or nowhere.
AND_JUMPS = "; it jumps to the lock function"
NOWHERE = "it jumps to the lock function, and nothing of the target runs when it has the lock"
#: Of a call site that a run of one class needs no probe of.
LEFT_OUT = "not of class "


def unseen(sites: Sequence[CallSite]) -> list[CallSite]:
    """The call sites whose events are lost, of those that were to be seen."""
    return [site for site in sites if not site.attached and not site.reason.startswith(LEFT_OUT)]


def loss(sites: Sequence[CallSite], lock_mode: str) -> str:
    """What is to be said of call sites that are not seen; empty if all are."""
    missing = unseen(sites)
    if not missing or lock_mode == "none":
        return ""
    where = ", ".join(sorted({site.function for site in missing}))
    text = (
        f"{len(missing)} of {len(sites)} lock call sites cannot be seen, in {where}: what they do "
        "is lost, and holds that begin or end there"
    )
    if lock_mode == "callsite" and _hybrid_sees(missing):
        text += "; --locks hybrid sees them, at a cost to all that takes a lock"
    return text


def _hybrid_sees(missing: Sequence[CallSite]) -> bool:
    """Whether the mode hybrid sees the sites: in the lock functions that they call."""
    try:
        types = KernelTypes()
    except OSError:
        return False
    known = all(
        types.function(site.lock_function) is not None
        and not site.reason.endswith(AND_JUMPS)
        and site.reason != ON_CONDITION
        for site in missing
    )
    types.close()
    return known
