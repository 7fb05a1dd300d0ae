"""What verbs print with ``--json``, where that is no report of the analysis; docs/schemas
is made of these."""

from msgspec import Struct

from z3trace.data.model import CallSite


class Answer(Struct, frozen=True):
    """Base of a JSON document that a verb prints."""


class Failure(Answer, frozen=True, kw_only=True):
    """Why a verb failed, what to do about it (may be empty), and its exit status."""

    error: str
    hint: str
    status: int


class Written(Answer, frozen=True, kw_only=True):
    """Files that were written, as they were named."""

    files: list[str]


class Recorded(Answer, frozen=True, kw_only=True):
    """A recording that was made: *failed* of its *runs* had a workload that failed; *lost*
    of its *events* were not seen."""

    file: str
    label: str
    runs: int
    failed: int
    events: int
    lost: int
    interrupted: bool


class KnownTarget(Answer, frozen=True, kw_only=True):
    """A shipped target: its operations and lock classes."""

    name: str
    module: str
    operations: list[str]
    locks: list[str]


class Targets(Answer, frozen=True, kw_only=True):
    """All shipped targets."""

    targets: list[KnownTarget]


class Draft(Answer, frozen=True, kw_only=True):
    """A drafted definition, TOML, and the file that it was written to."""

    definition: str
    file: str | None


class Offered(Answer, frozen=True, kw_only=True):
    """A kernel that can be fetched."""

    release: str
    version: str


class Offers(Answer, frozen=True, kw_only=True):
    """All kernels that can be fetched."""

    offers: list[Offered]


class Fetched(Answer, frozen=True, kw_only=True):
    """A kernel in the cache, and where."""

    release: str
    version: str
    directory: str


class Cached(Answer, frozen=True, kw_only=True):
    """A kernel in the cache, whether all its files are there, and what was built for it."""

    release: str
    version: str
    whole: bool
    modules: list[str]


class Lack(Answer, frozen=True, kw_only=True):
    """What a configuration lacks: *group* is who needs it."""

    group: str
    said: str


class Lacking(Answer, frozen=True, kw_only=True):
    """All that a kernel's configuration lacks; *fragment* is what is needed, if no file
    was judged."""

    lacking: list[Lack]
    fragment: str | None


class OwnKernel(Answer, frozen=True, kw_only=True):
    """A kernel that was built from a tree, for ``--kernel``: seconds of each *step*."""

    directory: str
    steps: dict[str, float]


class Unpacked(Answer, frozen=True, kw_only=True):
    """A kernel's source, and the directory that it was unpacked into."""

    source: str
    directory: str


class Kernels(Answer, frozen=True, kw_only=True):
    """All kernels in the cache."""

    kernels: list[Cached]


class Variants(Answer, frozen=True, kw_only=True):
    """The shipped variants of a target, and what each is."""

    variants: dict[str, str]


class Built(Answer, frozen=True, kw_only=True):
    """The file of a module that was built."""

    module: str


class GuestEnd(Answer, frozen=True, kw_only=True):
    """How a command in a guest ended; *console*: None if it was not asked for."""

    release: str
    status: int
    boot_seconds: float
    warnings: list[str]
    console: str | None


class Setting(Answer, frozen=True):
    """An option that is set without a flag, and by which variable or file."""

    verb: str
    option: str
    value: str
    source: str


class Configuration(Answer, frozen=True, kw_only=True):
    """The configuration file, and all that is set by it and by the environment; *file* is
    null if there is to be none."""

    file: str | None
    exists: bool
    settings: list[Setting]


class Script(Answer, frozen=True, kw_only=True):
    """The completion of a shell."""

    shell: str
    script: str


class Requirement(Answer, frozen=True, kw_only=True):
    """What a recording needs; *state* is ok, note or missing."""

    name: str
    state: str
    said: str
    hint: str


class ProbedOperation(Answer, frozen=True, kw_only=True):
    """An operation, its function (empty: none here), and how it is probed, or why not."""

    name: str
    symbol: str
    probed_by: str


class SeenSite(CallSite, frozen=True, kw_only=True):
    """A lock call site, and the lock class that it is likely of."""

    likely_class: str = ""


class SeenPrice(Answer, frozen=True, kw_only=True):
    """ns that a lock pair seen in some way costs the target, and everybody else."""

    way: str
    target: int
    others: int


class Doctor(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """What a kernel allows; all but the first two are missing where nothing can be recorded,
    and the last two unless they were asked for."""

    requirements: list[Requirement]
    can_record: bool
    operations: list[ProbedOperation] | None = None
    sites: list[SeenSite] | None = None
    slow_paths: list[str] | None = None
    whole: bool | None = None
    verdict: str | None = None
    prices: list[SeenPrice] | None = None
    cheapest: str | None = None
