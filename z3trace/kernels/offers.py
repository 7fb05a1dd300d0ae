"""Which kernels package lists offer, and which of them a name stands for.

A name is a release (``6.12.117+deb13-amd64``), a series (``6.12``), or a series and a
flavour (``6.12-rt-amd64``).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from z3trace.errors import UsageError
from z3trace.kernels.lists import Lists

_IMAGE = "linux-image-"
#: Number, such as 6.1.0-56 or 6.12.117+deb13, and flavour.
_RELEASE = re.compile(r"(\d+\.\d+\.\d[a-z0-9.+~]*(?:-\d+)?)-([a-z][a-z0-9-]*)")
_WANTED = re.compile(r"(\d+\.\d+[A-Za-z0-9.+~]*(?:-\d+)?)(?:-([a-z][a-z0-9-]*))?")
#: What a distribution installs if no flavour is named: Debian's, Ubuntu's.
_ORDINARY = ("amd64", "generic")
_NO_KERNEL = ("-unsigned", "-dbg", "-template")


@dataclass(frozen=True)
class Offer:
    """A kernel that can be fetched."""

    release: str
    version: str

    @property
    def number(self) -> str:
        return _parts(self.release)[0]

    @property
    def flavour(self) -> str:
        return _parts(self.release)[1]

    @property
    def series(self) -> str:
        return ".".join(self.release.split(".")[:2])

    @property
    def age(self) -> list[int]:
        """The larger, the newer."""
        return [int(part) for part in re.findall(r"\d+", self.number)]


def _parts(release: str) -> tuple[str, str]:
    match = _RELEASE.fullmatch(release)
    return (match[1], match[2]) if match else (release, "")


def must_be_name(wanted: str) -> None:
    """UsageError if *wanted* names neither a release nor a series."""
    if not _WANTED.fullmatch(wanted):
        raise UsageError(
            f"{wanted!r} is not a kernel release or series", "such as 6.1.0-50-amd64, or 6.12"
        )


def offered(lists: Lists) -> list[Offer]:
    """Every kernel that *lists* have an image of, the newest first."""
    releases = [name.removeprefix(_IMAGE) for name in lists.names(_IMAGE)]
    names = [
        f"{_IMAGE}{release}"
        for release in releases
        if _RELEASE.fullmatch(release) and not release.endswith(_NO_KERNEL)
    ]
    found = lists.versions(names)
    offers = [Offer(name.removeprefix(_IMAGE), version) for name, version in found.items()]
    return sorted(offers, key=lambda offer: (offer.age, offer.flavour), reverse=True)


def fits(release: str, wanted: str) -> bool:
    """Whether *release* is one of what *wanted* stands for."""
    must_be_name(wanted)
    if release == wanted:
        return True
    match = _WANTED.fullmatch(wanted)
    number, flavour = _parts(release)
    if not match or not flavour or _parts(wanted)[1] not in ("", flavour):
        return False
    of_series = number == match[1] or re.match(rf"{re.escape(match[1])}(?!\d)", number)
    return bool(of_series) and (flavour == match[2] if match[2] else flavour in _ORDINARY)


def of(offers: Sequence[Offer], wanted: str) -> list[Offer]:
    """Those of *offers* that *wanted* stands for, in their order."""
    return [offer for offer in offers if fits(offer.release, wanted)]


def told(offers: Sequence[Offer]) -> str:
    """The series that there are, in one line."""
    series = dict.fromkeys(offer.series for offer in offers)
    return ", ".join(series) or "none"
