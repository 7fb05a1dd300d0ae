"""Why a recording lost events, and what to do about it."""

from dataclasses import dataclass

from z3trace.analysis.figures.recording import Digest

_UNPAIRED = ("unmatched_releases", "unseen_releases")
_SKIPPED = ("skipped_programs", "missed_probes")
_SLOTS = ("slot_collisions",)
_DEEP = ("unmatched_returns", "depth_overflows", "held_overflows")


@dataclass(frozen=True)
class Cause:
    """What most of the lost events were lost to, and what to do."""

    said: str
    hint: str


def cause(digest: Digest, way: str) -> Cause:
    """Of the events that the runs of *way* lost."""
    ledger = digest.totals(way).ledger

    def lost(names: tuple[str, ...]) -> int:
        return sum(ledger.get(name) or 0 for name in names)

    most = max((_UNPAIRED, _SKIPPED, _SLOTS, _DEEP), key=lost)
    if most == _UNPAIRED and digest.unseen():
        return _unseen(digest)
    if most == _UNPAIRED:
        said = "locks were taken or released where no probe sees it"
        return Cause(
            said, "does other code take the target's locks? 'z3trace doctor' lists the sites"
        )
    if most == _SLOTS:
        return Cause("threads shared a slot", "record again with more --task-slots")
    if most == _SKIPPED:
        said = "the kernel did not run the probes' programs"
        hint = "record again with nothing else that traces (another recording?), or a lighter load"
        return Cause(said, hint)
    return Cause("operations or locks were nested too deep", "record again with a lighter load")


def _unseen(digest: Digest) -> Cause:
    unseen, sites = digest.unseen(), digest.session.sites
    said = (
        f"{len(unseen)} of {len(sites)} lock call sites were not seen, in "
        f"{digest.unseen_functions()}"
    )
    if digest.session.lock_mode == "callsite":
        return Cause(
            said, "record again with --locks hybrid, which sees them where the kernel allows it"
        )
    return Cause(said, "record again with --probe ops, which needs no lock call site")
