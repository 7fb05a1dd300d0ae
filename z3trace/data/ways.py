"""The ways in which a run can be seen, and their names."""

from typing import Literal, NamedTuple

Build = Literal["", "timed"]
_TIMED, _CLOCKED, _NONE = "timed", "clocked", "none"


class Way(NamedTuple):
    """What is loaded and attached in a run; see the fields of the same names of
    ``model.Run``.  *probe*: empty for a run without probes."""

    build: Build = ""
    clocked: bool = False
    probe: str = ""

    @property
    def name(self) -> str:
        """Such as ``none``, ``clocked``, ``ops``, ``lock:page``, or ``timed+lock:page``."""
        words = (self.build, _CLOCKED if self.clocked else "", self.probe)
        return "+".join(filter(None, words)) or _NONE

    @classmethod
    def named(cls, name: str) -> "Way":
        """The way of this name, the inverse of ``name``."""
        words = [] if name == _NONE else name.split("+")
        probe = [word for word in words if word not in (_TIMED, _CLOCKED)]
        build: Build = "timed" if _TIMED in words else ""
        return cls(build, _CLOCKED in words, "+".join(probe))


NONE = Way()
CLOCKED = Way(clocked=True)
TIMED = Way(build="timed")
OPS = Way(probe="ops")
ALL = Way(probe="all")
OWN_LOCK = Way(probe="own-lock")


def of_class(lock: str, build: Build = "") -> Way:
    """Probes on the locks of one class."""
    return Way(build=build, probe=f"lock:{lock}")
