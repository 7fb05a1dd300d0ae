"""The one family of errors a user may see, and the exit code of each.

``cli.main`` turns these into one line on stderr; anything else that escapes
is a bug and is shown as one.
"""

DONE = 0
FAILED = 1
WRONG_USAGE = 2
REGRESSION = 3
VIOLATION = 3
CANNOT_TRACE = 4
INCOMPARABLE = 5
NOT_JUDGED = 6
GUEST_LOST = 128
INTERRUPTED = 130

#: What each exit status says: help, manual pages and docs/scripts.md have it from here.
STATUSES = {
    DONE: "done",
    FAILED: "failed; `check`: events were lost, or the workload failed; `trend`: a file could "
    "not be read",
    WRONG_USAGE: "wrong usage",
    VIOLATION: "`compare --fail-on-regression`: a figure got worse; `check`, `review`: a rule "
    "was broken",
    CANNOT_TRACE: "this machine or kernel cannot do it",
    INCOMPARABLE: "the recordings cannot be compared; `compare --fail-on-regression`: it cannot "
    "be judged",
    NOT_JUDGED: "`check`, `review`: no rule was broken, but some could not be judged",
    GUEST_LOST: "the guest was lost",
    INTERRUPTED: "interrupted before there was anything to keep",
}


class Z3traceError(Exception):
    """What is wrong and where; *hint* says what to do about it."""

    exit_code = FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(Z3traceError):
    """The command line asks for something that cannot be."""

    exit_code = WRONG_USAGE


class InputError(Z3traceError):
    """A file that was given is not what it should be."""


class CannotTraceError(Z3traceError):
    """This machine or this kernel cannot do it."""

    exit_code = CANNOT_TRACE


class IncomparableError(Z3traceError):
    """The recordings differ in something that matters."""

    exit_code = INCOMPARABLE


class GuestLostError(Z3traceError):
    """The guest hung, crashed or ran past its deadline."""

    exit_code = GUEST_LOST
