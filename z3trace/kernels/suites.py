"""Other suites of Debian than the one that the machine has: their package lists.

Each has an apt root of its own in the cache.  The machine's own lists and sources stay
as they are, and nothing is installed.  Mirror and keys are the machine's: apt checks the
signatures as it does for every other package.
"""

import re
import time
from pathlib import Path

from z3trace import paths
from z3trace.errors import UsageError, Z3traceError
from z3trace.kernels.lists import Lists, Say

#: In this order they are looked through for a kernel that the machine's own lists lack.
OTHERS = ("stable-backports", "testing", "unstable", "oldstable")
_NAME = re.compile(r"[a-z]+(-[a-z]+)*")
_KEYS = ("debian-archive-keyring.pgp", "debian-archive-keyring.gpg")
_KEYRINGS = Path("/usr/share/keyrings")
_OS_RELEASE = Path("/etc/os-release")
_AGE = 24 * 3600  # seconds after which the lists are read again


def others() -> tuple[str, ...]:
    """The suites that this machine can be given besides its own: none if it is no Debian."""
    try:
        text = _OS_RELEASE.read_text()
    except OSError:
        return ()
    return OTHERS if re.search(r"^ID=\"?debian\"?$", text, re.MULTILINE) else ()


def lists(suite: str, say: Say) -> Lists:
    """The package lists of *suite*, read anew if they are older than a day.

    Backports come with the suite that they are for, whose compiler they are built with.
    Z3traceError if the mirror has no such suite, or if its lists cannot be trusted.
    """
    if not _NAME.fullmatch(suite):
        raise UsageError(f"{suite!r} is not a suite", "such as stable-backports, or testing")
    home = paths.cache() / "apt" / suite
    found = Lists(suite, _options(home))
    stamp = home / "updated"
    if stamp.exists() and time.time() - stamp.stat().st_mtime < _AGE:
        return found
    lines = [_line(name) for name in dict.fromkeys((suite, suite.removesuffix("-backports")))]
    for name in ("lists/partial", "archives/partial"):
        (home / name).mkdir(parents=True, exist_ok=True)
    (home / "sources.list").write_text("".join(lines))
    (home / "status").touch()
    say(f"reading the package lists of Debian's {suite}")
    try:
        found.apt("apt-get", ["-q", "-o", "APT::Update::Error-Mode=any", "update"])
    except Z3traceError as error:
        raise Z3traceError(
            f"the package lists of {suite} cannot be had: {_reason(error.message)}",
            "see what the mirror has; a mirror that is behind on purpose is taken with "
            'Acquire::Check-Valid-Until "false"; in the configuration of apt',
        ) from error
    stamp.touch()
    return found


def _options(home: Path) -> tuple[str, ...]:
    """What makes apt work in *home*; its configuration is the machine's (a proxy)."""
    values = {
        "Dir::Etc::sourcelist": home / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::State": home,
        "Dir::State::lists": home / "lists",
        "Dir::State::status": home / "status",
        "Dir::Cache": home,
        "Dir::Cache::archives": home / "archives",
        "Dir::Cache::srcpkgcache": "",
        "Acquire::Languages": "none",
        # In the cache, root's own directory, nobody else may write.
        "APT::Sandbox::User": "root",
    }
    return tuple(word for key, value in values.items() for word in ("-o", f"{key}={value}"))


def _line(suite: str) -> str:
    keys = next((_KEYRINGS / name for name in _KEYS if (_KEYRINGS / name).exists()), None)
    if not keys:
        raise Z3traceError("Debian's keys are not here", "apt-get install debian-archive-keyring")
    return f"deb [signed-by={keys}] {mirror()} {suite} main\n"


def mirror() -> str:
    """Where this machine has Debian's packages from; Z3traceError if apt knows no place."""
    form = "$(ORIGIN)|$(LABEL)|$(REPO_URI)"
    text = Lists().apt("apt-get", ["indextargets", "--format", form, "Created-By: Packages"])
    for line in text.splitlines():
        origin, _, rest = line.partition("|")
        label, _, place = rest.partition("|")
        if (origin, label) == ("Debian", "Debian") and not re.search(r"\s", place):
            return place
    raise Z3traceError(
        "apt knows no mirror of Debian on this machine", "name one in /etc/apt/sources.list"
    )


def _reason(message: str) -> str:
    """apt's own first error in what it said."""
    lines = [line for line in message.splitlines() if line.startswith(("E:", "Err:"))]
    return " ".join((lines or message.splitlines())[0].removeprefix("E:").split())[:300]
