"""Package lists: what packages there are, in which version, and what they depend on.

They are the machine's own, as apt is configured on it, or those of another suite
(``suites``), which has an apt root of its own in the cache.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from z3trace import tools
from z3trace.errors import Z3traceError

#: Tells the user, in a line, of a step that takes long.
Say = Callable[[str], None]

_FIELD = re.compile(r"^([A-Za-z0-9-]+): (.*)$", re.MULTILINE)
_MOST_AT_ONCE = 200  # names in one command


@dataclass(frozen=True)
class Package:
    """A package file that can be downloaded."""

    name: str
    version: str
    #: Of the .deb, in bytes.
    size: int
    sha256: str


@dataclass(frozen=True)
class Lists:
    """The package lists of this machine, or of *suite*, whose apt root has *options*."""

    suite: str = ""
    options: tuple[str, ...] = ()

    @property
    def called(self) -> str:
        return f"Debian's {self.suite}" if self.suite else "this machine"

    def apt(self, program: str, arguments: Sequence[str], cwd: Path | None = None) -> str:
        """What apt's *program* says; Z3traceError if it fails."""
        doing = f"{program} {arguments[-1]}"
        return tools.run([program, *self.options, *arguments], cwd=cwd, doing=doing)

    def fields(self, package: str, version: str | None = None) -> dict[str, str]:
        """The fields that the lists have of a package, of its newest version or of *version*.

        Z3traceError if the lists have no such package.
        """
        wanted = f"{package}={version}" if version else package
        try:
            text = self.apt("apt-cache", ["--no-all-versions", "show", wanted])
        except Z3traceError as error:
            hint = "run 'apt-get update' as root first" if not self.suite else ""
            raise Z3traceError(f"the package lists know no {wanted}", hint) from error
        return _first(_FIELD.findall(text))

    def package(self, name: str, version: str | None = None) -> Package:
        """A package with the digest of its file; see ``fields``."""
        fields = self.fields(name, version)
        return Package(name, fields["Version"], int(fields["Size"]), fields["SHA256"])

    def names(self, prefix: str) -> list[str]:
        """The names that begin with *prefix*, also those that are only mentioned."""
        return sorted(self.apt("apt-cache", ["pkgnames", prefix]).split())

    def versions(self, names: Sequence[str]) -> dict[str, str]:
        """Name -> newest version of those of *names* that there are."""
        found: dict[str, str] = {}
        for at in range(0, len(names), _MOST_AT_ONCE):
            some = names[at : at + _MOST_AT_ONCE]
            text = self.apt("apt-cache", ["--no-all-versions", "show", *some])
            for stanza in text.split("\n\n"):
                fields = _first(_FIELD.findall(stanza))
                if "Package" in fields and "Version" in fields:
                    found.setdefault(fields["Package"], fields["Version"])
        return found


def _first(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return dict(reversed(list(pairs)))


def dependencies(fields: dict[str, str]) -> list[str]:
    """The names in a package's Depends, the first of each choice; no versions."""
    names = []
    for each in fields.get("Depends", "").split(","):
        match = re.match(r"\s*([a-z0-9][a-z0-9.+~-]*)", each)
        if match:
            names.append(match[1])
    return names
