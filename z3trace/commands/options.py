"""Options that several verbs have, each said once.

A group of options that belong together reaches a verb as one value: ``@guest`` hands it
a ``GuestOptions``, ``@probes`` a ``ProbeOptions``, ``@filters`` a ``FilterOptions``.
"""

import dataclasses
import functools
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from z3trace.errors import UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem as Completion

    from z3trace.guest.qemu import Options
    from z3trace.kernels.layout import Kernel
    from z3trace.recording.repetitions import Asked
    from z3trace.recording.session import Wanted
    from z3trace.target.definition import Target
    from z3trace.workloads.protocol import Workload

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Command], Command]
_UNITS = {"ms": 0.001, "s": 1, None: 1, "m": 60, "h": 3600}


def seconds(text: str) -> float:
    """``10``, ``10s``, ``1.5m`` or ``500ms`` in seconds; ValueError otherwise."""
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s|m|h)?", text)
    if not match:
        raise ValueError(f"{text!r} is not a duration, such as 10s, 500ms or 2m")
    return float(match[1]) * _UNITS[match[2]]


class Seconds(click.ParamType):  # type: ignore[type-arg]
    """A duration; the verb gets seconds."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        try:
            return seconds(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def is_number(text: str) -> bool:
    """Whether a word can only be meant as a number, or as one of per cent."""
    try:
        float(text.removesuffix("%"))
    except ValueError:
        return False
    return True


class Percent(click.ParamType):  # type: ignore[type-arg]
    """A percentage that is not below 0, such as ``5`` or ``2.5%``; the verb gets 5.0."""

    name = "percent"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        text = str(value)
        number = float(text.removesuffix("%")) if is_number(text) else math.nan
        if not 0 <= number < math.inf:
            self.fail(f"{text!r} is not a percentage, such as 5 or 2.5", param, ctx)
        return number


class WithCommand(click.Command):
    """A verb with arguments of its own, and a COMMAND behind ``--``: *command_line*."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own, words = args, []
        if "--" in args:
            at = args.index("--")
            own, words = args[:at], args[at + 1 :]
        rest = super().parse_args(ctx, own)
        ctx.params["command_line"] = tuple(words)
        return rest

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND...]"]


def _group(name: str, kind: type, *decorators: Decorator[Any]) -> Decorator[Any]:
    """Options whose values reach the verb as one argument *name* of the dataclass *kind*."""

    def decorate(function: Command) -> Command:
        @functools.wraps(function)
        def gathered(**values: Any) -> Any:
            fields = {field.name: values.pop(field.name) for field in dataclasses.fields(kind)}
            return function(**values, **{name: kind(**fields)})

        for decorator in reversed(decorators):
            gathered = decorator(gathered)
        return gathered  # type: ignore[return-value]

    return decorate


def readable_file(*names: str, **more: Any) -> Decorator[Any]:
    """An option that names a file that is there."""
    kind = click.Path(path_type=Path, exists=True, dir_okay=False)
    return click.option(*names, type=kind, **more)


def _targets(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[Completion]":
    """Shipped targets and files, for a shell."""
    from click.shell_completion import CompletionItem

    from z3trace.target import definition

    names = [name for name in definition.shipped() if name.startswith(incomplete)]
    files = [] if names else [CompletionItem(incomplete, type="file")]
    return [*map(CompletionItem, names), *files]


target = click.option(
    "--target",
    "target_name",
    shell_complete=_targets,
    default="z3fold",
    show_default=True,
    help="A shipped target (see 'z3trace target list'), or a .toml file of your own.",
)
module_file = readable_file(
    "--module", "module_file", help="The target's module file, if it is not the packaged one."
)
load = click.option(
    "--load",
    is_flag=True,
    help="Load the target's module if it is not loaded, and unload it at the end.",
)
command_line = click.argument(
    "command_line", nargs=-1, metavar="[-- COMMAND...]", type=click.UNPROCESSED
)
label = click.option(
    "--label", default="", help="The name of this recording in comparisons and reports."
)
allow_failed = click.option(
    "--allow-failed",
    is_flag=True,
    help="Count runs whose workload failed, too.",
)
force = click.option("--force", is_flag=True, help="Overwrite existing output.")


@dataclasses.dataclass(frozen=True)
class PlacingOptions:
    """How far patches may differ from the source, and which of their virtual rules count."""

    fuzz: int
    defines: tuple[str, ...]


def patches(purpose: str) -> Decorator[Any]:
    """Patches that are applied in the order in which they are given, and how."""
    kind = click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)
    named = click.option(
        "--patch",
        "patches",
        type=kind,
        multiple=True,
        help=f"A patch {purpose}: a diff, a mail or a mailbox with a series (packed too), a "
        "semantic patch (.cocci), or - for standard input; may be repeated.",
    )
    how = _group(
        "placing",
        PlacingOptions,
        click.option(
            "--fuzz",
            type=click.IntRange(0, 3),
            default=0,
            show_default=True,
            help="Lines of context at each end of a hunk that may differ; with 1 or more, it may "
            "go into another function than it names.  Where it went is said.",
        ),
        click.option(
            "--define",
            "defines",
            multiple=True,
            metavar="NAME[=VALUE]",
            help="A virtual rule of a semantic patch that counts, such as patch.",
        ),
    )
    return lambda function: named(how(function))


def time(name: str, meaning: str, default: str | None = None) -> Decorator[Any]:
    """An option that takes a duration; the verb gets seconds."""
    return click.option(
        name, type=Seconds(), default=default, show_default=default is not None, help=meaning
    )


def runs(most: int, default: int, meaning: str) -> Decorator[Any]:
    """How many runs are made; *meaning* says of what."""
    return click.option(
        "--runs",
        type=click.IntRange(1, most),
        default=default,
        show_default=True,
        help=meaning,
    )


def unprobed(most: int, default: str, of: str = "") -> Decorator[Any]:
    """How many runs are made without probes; *default* in words, as it depends."""
    return click.option(
        "--unprobed",
        type=click.IntRange(0, most),
        default=None,
        help=f"Runs{of} without probes, for throughput.  [default: {default}]",
    )


unboxed = click.option(
    "--unboxed",
    is_flag=True,
    help="Build without the box (the sandbox, see docs/security.md): spatch and the "
    "compiler then read the patches with your rights.  Every report says so.",
)


def output_file(what: str, *, required: bool = False) -> Decorator[Any]:
    kind = click.Path(path_type=Path, dir_okay=False)
    return click.option("-o", "--output", type=kind, required=required, help=what)


def form(*forms: str, of: str) -> Decorator[Any]:
    """The form of an output whose name does not say it."""
    return click.option(
        "--format",
        "form",
        type=click.Choice([name.removeprefix(".") for name in forms]),
        help=f"The form of {of}, if its name does not say it: - is standard output.",
    )


def output_directory(what: str, *, required: bool = False) -> Decorator[Any]:
    kind = click.Path(path_type=Path, file_okay=False)
    return click.option(
        "-o", "--output", "directory", type=kind, required=required, help=f"Directory for {what}."
    )


def lock_mode(*choices: str, default: str) -> Decorator[Any]:
    return click.option(
        "--locks",
        "lock_mode",
        type=click.Choice(choices),
        default=default,
        show_default=True,
        help="Where lock events are seen.  callsite: at the target's lock calls.  function: in "
        "the lock functions, which slows everything that takes a lock.  hybrid: at the lock "
        "calls, and in the lock functions for lock calls that cannot carry a probe."
        + (
            "  auto: whichever costs least here, by a measurement; what it takes is said."
            if "auto" in choices
            else ""
        )
        + ("  none: nowhere." if "none" in choices else ""),
    )


#: Modes in which locks are seen at all.
LOCK_MODES = ("callsite", "function", "hybrid")

seed = click.option(
    "--seed",
    type=click.IntRange(0, 1 << 31),
    default=1,
    show_default=True,
    help="Seed of the first run; each further run has the next number.",
)


@dataclasses.dataclass(frozen=True)
class ProbeOptions:
    """What is recorded, and how."""

    lock_mode: str
    waits: str
    probe_kinds: tuple[str, ...]
    seed: int
    calibrate: bool
    keep_paths: bool

    def asked(self, target: "Target", work: "Workload", **more: Any) -> "Asked":
        """What is asked for and possible with *target* and *work*; *more* are the fields of
        ``Asked`` that the verb knows.  UsageError if --probe asks for what is not there."""
        from z3trace.recording import repetitions

        classes = target.classes()[1:]
        locks = self.lock_mode != "none"
        return repetitions.Asked(
            probes=repetitions.named(self.probe_kinds, classes, locks=locks),
            classes=classes,
            locks=locks,
            sees_classes=self.lock_mode != "function",
            clocks=work.clocks,
            own_lock=work.own_lock,
            **more,
        )


keep_paths = click.option(
    "--keep-paths",
    is_flag=True,
    help="Keep directories of this host and the whole command line of its kernel in what is "
    "written; without it only what the figures can depend on.",
)

probes = _group(
    "probing",
    ProbeOptions,
    lock_mode(*LOCK_MODES, "auto", "none", default="callsite"),
    click.option(
        "--waits",
        type=click.Choice(["slow-path", "call-site"]),
        default="slow-path",
        show_default=True,
        help="Where waits for locks are seen.  slow-path: in the slow paths of the lock "
        "functions, where a task goes if it does not get its lock at once.  call-site: at the "
        "target's lock calls, which needs up to one more probe for each lock call.",
    ),
    click.option(
        "--probe",
        "probe_kinds",
        multiple=True,
        metavar="PROBES",
        help="Probes that runs have, instead of the default ones: ops (on operations), locks, "
        "all (both), a lock class of the target, such as page (at its call sites only, which "
        "changes its holds least), or each (every class in turn).  With timed+ before it the "
        "probes are in the timed build.  May be repeated: then the runs take turns.  With a "
        "lock class, zpool-bench also makes a few runs with a lock of its own, which tell what "
        "the probes add.",
    ),
    seed,
    click.option(
        "--calibrate/--no-calibrate",
        default=True,
        help="First measure what the probes cost here, and correct the figures for it.",
    ),
    keep_paths,
)


@dataclasses.dataclass(frozen=True)
class FilterOptions:
    """Which of the target's operations count."""

    process: int | None
    processors: tuple[int, ...]
    operations: tuple[str, ...]


filters = _group(
    "only",
    FilterOptions,
    click.option(
        "--pid", "process", type=click.IntRange(1, 1 << 22), help="Record only this process."
    ),
    click.option(
        "--cpu",
        "processors",
        type=click.IntRange(0, 63),
        multiple=True,
        help="Record only operations that begin on this CPU; may be repeated.",
    ),
    click.option(
        "--operation",
        "operations",
        multiple=True,
        help="Record only this operation, and the locks inside it; may be repeated.",
    ),
)


def wanted(probing: ProbeOptions, only: FilterOptions, task_slots: int) -> "Wanted":
    """What a session is asked to record."""
    from z3trace.recording.session import Wanted

    return Wanted(
        lock_mode=probing.lock_mode,
        waits=probing.waits,
        calibrate=probing.calibrate,
        process=only.process or 0,
        processors=only.processors,
        operations=only.operations,
        keep_paths=probing.keep_paths,
        task_slots=task_slots,
    )


@dataclasses.dataclass(frozen=True)
class GuestOptions:
    """The guest to boot; *deadline* in seconds, *memory* as QEMU understands it."""

    release: str | None
    kernels: tuple[Path, ...]
    cpus: int
    memory: str
    accelerator: str
    deadline: float

    def kernel(self, say: Callable[[str], None]) -> "Kernel":
        """The kernel that is booted: the one that --kernel names, or a packaged one."""
        from z3trace.kernels import fetch

        if not self.kernels:
            return fetch.cached(self.release, say)
        if len(self.kernels) > 1:
            raise UsageError("--kernel is given more than once", "'ab' alone compares kernels")
        return self.own_kernels(say)[0]

    def own_kernels(self, say: Callable[[str], None]) -> "list[Kernel]":
        """Those that --kernel names, copied into the cache."""
        from z3trace.kernels import own

        if self.kernels and self.release:
            raise UsageError("--kernel and --release name two kernels", "leave one of them out")
        return [
            own.load(path.resolve())
            if own.is_taken(path.resolve())
            else own.take(own.tree_of(path), say)
            for path in self.kernels
        ]

    def machine(self, **more: Any) -> "Options":
        """As QEMU is told; *more* are fields of ``qemu.Options``."""
        from z3trace.guest import qemu

        return qemu.Options(
            cpus=self.cpus,
            memory=self.memory,
            accelerator=self.accelerator,
            deadline=self.deadline,
            **more,
        )


own_kernel = click.option(
    "--kernel",
    "kernels",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    metavar="TREE",
    help="A kernel that you built: its build tree, the bzImage in one, or what 'kernel make' "
    "printed.",
)

guest = _group(
    "guest",
    GuestOptions,
    click.option(
        "--release",
        help="Kernel release.  [default: the newest in the cache, or a fetched one]",
    ),
    own_kernel,
    click.option("--cpus", type=click.IntRange(1, 64), default=2, show_default=True),
    click.option(
        "--memory", default="2G", show_default=True, help="Memory of the guest, in QEMU's notation."
    ),
    click.option(
        "--accelerator",
        type=click.Choice(["auto", "kvm", "tcg"]),
        default="auto",
        show_default=True,
    ),
    time(
        "--deadline",
        "End the guest after this long.  Time that a busy host did not give it does not count.",
        "30m",
    ),
)
