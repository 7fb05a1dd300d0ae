"""``z3trace kernel``: fetch kernels, build variants of modules for them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from z3trace.commands import options, ownkernel, screen
from z3trace.commands.screen import say
from z3trace.errors import DONE

if TYPE_CHECKING:
    from z3trace.data.answers import Cached
    from z3trace.kernels.layout import Kernel


@click.group()
def command() -> None:
    """Fetch kernels and build variants of modules for them."""


command.add_command(ownkernel.config)
command.add_command(ownkernel.make)
command.add_command(ownkernel.source)


@command.command()
@click.argument("release", required=False)
@click.option("--release", "named", help="The same as RELEASE.", metavar="RELEASE")
@click.option("--suite", default="", help="Another suite of Debian to fetch from, such as testing.")
@click.option("--offered", is_flag=True, help="List the kernels that can be fetched, and end.")
def fetch(release: str | None, named: str | None, suite: str, offered: bool) -> int:
    """Download and unpack a kernel, its headers and its source; install nothing.

    RELEASE is a name such as 6.1.0-50-amd64, a series such as 6.12, or a series of a
    flavour such as 6.12-rt-amd64.  The default is the distribution's current kernel.
    What this machine's package lists do not have is looked for in Debian's other suites:
    apt reads their lists into z3trace's cache, and the machine's own stay as they are.
    """
    from z3trace.data import answers
    from z3trace.errors import UsageError
    from z3trace.kernels import fetch as fetching

    if release and named and release != named:
        raise UsageError("RELEASE and --release name two kernels")
    if offered:
        _list_offered(suite)
        return DONE
    kernel = fetching.fetch(release or named, say, suite)
    screen.result(f"{kernel.release} ({kernel.version}) in {kernel.directory}")
    screen.answer(
        answers.Fetched(
            release=kernel.release, version=kernel.version, directory=str(kernel.directory)
        )
    )
    return DONE


def _list_offered(suite: str) -> None:
    from z3trace.data import answers
    from z3trace.kernels import offers, suites
    from z3trace.kernels.lists import Lists

    found = list(offers.offered(suites.lists(suite, say) if suite else Lists()))
    for offer in found:
        screen.result(f"{offer.release:32} {offer.version}")
    screen.answer(
        answers.Offers(
            offers=[answers.Offered(release=one.release, version=one.version) for one in found]
        )
    )


@command.command("list")
def list_() -> int:
    """List the kernels and built modules in the cache."""
    from z3trace.data import answers
    from z3trace.kernels import fetch as fetching
    from z3trace.kernels import own

    listed = []
    for kernel, whole in fetching.kernels():
        state = "" if whole else "  DAMAGED: 'z3trace kernel fetch' repairs it"
        screen.result(f"{kernel.release}  {kernel.version}{state}")
        listed.append(_cached(kernel, whole=whole))
    for kernel in own.kernels():
        screen.result(f"{kernel.directory}  built from a tree")
        listed.append(_cached(kernel, whole=True))
    screen.answer(answers.Kernels(kernels=listed))
    return DONE


def _cached(kernel: "Kernel", *, whole: bool) -> "Cached":
    """Print what was built for *kernel*, and return what a script is told of it."""
    from z3trace.data import answers

    built = [directory.name for directory in sorted(kernel.built.glob("[a-z]*"))]
    for name in built:
        screen.result(f"  {name}")
    return answers.Cached(
        release=kernel.release, version=kernel.version, whole=whole, modules=built
    )


@command.command()
@options.target
@click.option(
    "--variant",
    "variant_name",
    default="stock",
    show_default=True,
    help="A shipped variant, a .toml file, or 'stock' for the source as packaged.",
)
@options.patches("to apply on top")
@options.unboxed
@click.option("--timed", is_flag=True, help="Let the module time its own locks.")
@click.option("--release", help="Kernel release; the newest in the cache if not given.")
@click.option(
    "--workload",
    is_flag=False,
    flag_value="zpool-bench",
    metavar="[NAME]",
    help="Build the module of a workload instead: zpool-bench, if no name is given, or zs-bench.",
)
@click.option("--variants", is_flag=True, help="List the shipped variants of the target and end.")
def build(
    target_name: str,
    variant_name: str,
    patches: tuple[Path, ...],
    placing: options.PlacingOptions,
    unboxed: bool,
    timed: bool,
    release: str | None,
    workload: str | None,
    variants: bool,
) -> int:
    """Build a variant of the target's module, and print where it is."""
    from z3trace.data import answers
    from z3trace.errors import UsageError
    from z3trace.kernels import build as building
    from z3trace.kernels import fetch as fetching
    from z3trace.kernels import variant, workloads
    from z3trace.target import definition

    if variants:
        shipped = variant.shipped(target_name)
        for name, description in shipped.items():
            screen.result(f"{name:24} {description}")
        screen.answer(answers.Variants(variants=shipped))
        return DONE
    if workload:
        kernel = fetching.cached(release, say)
        module = workloads.build_workload(kernel, say, workload)
        screen.result(str(module.path))
        screen.answer(answers.Built(module=str(module.path)))
        return DONE
    target = definition.load(target_name)
    if not target.source:
        raise UsageError(f"target {target.name} names no source file")
    chosen = variant.load(variant_name, patches, placing.fuzz, placing.defines, target.name)
    kernel = fetching.cached(release, say)
    module = building.build_variant(
        kernel, target.source, chosen, say, boxed=not unboxed, timed=timed
    )
    screen.result(str(module.path))
    screen.answer(answers.Built(module=str(module.path)))
    return DONE
