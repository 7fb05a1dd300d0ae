"""Options that several verbs have, each said once."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def _all(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(function: Command) -> Command:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


target = click.option(
    "--target",
    "target_name",
    default="z3fold",
    show_default=True,
    help="A shipped target, or a .toml file of your own.",
)

#: What is recorded, and how: the parameters of ``session.Wanted``.
probes = _all(
    click.option(
        "--locks",
        "lock_mode",
        type=click.Choice(["callsite", "function", "hybrid", "none"]),
        default="callsite",
        show_default=True,
        help="How to see locks: at the target's call sites; in the lock functions "
        "themselves, which slows everything that takes a lock; there only for sites that "
        "cannot carry a probe; or not at all.",
    ),
    click.option(
        "--waits",
        type=click.Choice(["slow-path", "call-site"]),
        default="slow-path",
        show_default=True,
        help="Where to see waits for locks: in the slow paths of the lock functions, where "
        "every task goes that does not get a lock at once; or from the attempt at the call "
        "site on, which costs a probe more for each lock.",
    ),
    click.option(
        "--probe",
        "probe_kinds",
        type=click.Choice(["all", "ops", "locks"]),
        multiple=True,
        help="Make the runs with these probes; given more than once, each in turn, so that "
        "the recording shows what its own probes cost, and latencies come from runs with "
        "ops.  [default: all; of ab: all and ops]",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0, 1 << 31),
        default=1,
        show_default=True,
        help="Seed of the first run; each further run adds one.",
    ),
    click.option(
        "--calibrate/--no-calibrate",
        default=True,
        help="Measure first what the probes cost here, and correct for it.",
    ),
)

filters = _all(
    click.option(
        "--pid", "process", type=click.IntRange(1, 1 << 22), help="Only this process's operations."
    ),
    click.option(
        "--cpu",
        "processors",
        type=click.IntRange(0, 63),
        multiple=True,
        help="Only operations begun on this CPU; may be repeated.",
    ),
    click.option(
        "--operation",
        "operations",
        multiple=True,
        help="Only this operation, and locks only inside it; may be repeated.",
    ),
)

guest = _all(
    click.option(
        "--release",
        help="Kernel release; the newest default one in the cache, or a fetched one.",
    ),
    click.option("--cpus", type=click.IntRange(1, 64), default=2, show_default=True),
    click.option("--memory", default="2G", show_default=True, help="As QEMU understands it."),
    click.option(
        "--accelerator",
        type=click.Choice(["auto", "kvm", "tcg"]),
        default="auto",
        show_default=True,
    ),
    click.option(
        "--deadline", default="30m", show_default=True, help="End the guest after this long."
    ),
)
