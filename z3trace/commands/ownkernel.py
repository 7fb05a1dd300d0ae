"""``z3trace kernel config``, ``make`` and ``source``: whole kernels of one's own."""

import os
from pathlib import Path

import click

from z3trace.commands import options, screen
from z3trace.commands.screen import say
from z3trace.errors import CANNOT_TRACE, DONE, UsageError

_CONFIG_LIMIT = 4 << 20
_TREE = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True))
def config(file: Path | None) -> int:
    """Print the options that a kernel needs, or say what FILE lacks of them.

    Without FILE, a fragment of a configuration is printed, for 'make allnoconfig' with
    KCONFIG_ALLCONFIG, or for scripts/kconfig/merge_config.sh.  FILE is a .config, or a
    directory that has one.  Exit status 4 if such a kernel could not be booted and traced.
    """
    from z3trace import paths
    from z3trace.data import answers
    from z3trace.kernels import fragment, kconfig

    if file is None:
        screen.result(fragment.text(), nl=False)
        screen.answer(answers.Lacking(lacking=[], fragment=fragment.text()))
        return DONE
    file = file / ".config" if file.is_dir() else file
    found = kconfig.parsed(paths.read_bounded(file, _CONFIG_LIMIT).decode(errors="replace"))
    if not found:
        raise UsageError(f"{file} sets no option", "it should be a kernel's .config")
    lacking = fragment.lacking(found)
    for each in lacking:
        screen.result(f"{each.option.group:6}  {each.said}")
    told = [answers.Lack(group=each.option.group, said=each.said) for each in lacking]
    screen.answer(answers.Lacking(lacking=told, fragment=None))
    if any(each.option.group != "better" for each in lacking):
        return CANNOT_TRACE
    screen.result("nothing that a guest or the probes need is missing")
    return DONE


@click.command()
@click.argument("tree", type=_TREE)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A .config of your own.  [default: the smallest kernel, see 'kernel config']",
)
@options.patches("that is built in, without a change to TREE")
@options.unboxed
@click.option(
    "--jobs", type=click.IntRange(1, 256), help="Compilers at once.  [default: one for each CPU]"
)
def make(
    tree: Path,
    config_file: Path | None,
    patches: tuple[Path, ...],
    placing: options.PlacingOptions,
    unboxed: bool,
    jobs: int | None,
) -> int:
    """Build a kernel from TREE for --kernel, and print where it is.

    TREE is only read.  What was compiled is kept, so that the next build, such as one with
    --patch, compiles what has changed and no more.  Every build prints a directory of its
    own: it stays as it is when TREE is built again.
    """
    from z3trace.data import answers
    from z3trace.kernels import maketree, own, patch, treepatch

    chosen = maketree.tree_of(tree)
    read = patch.read_all(patches, say, placing.defines)
    changed = treepatch.patched(chosen.source, read, placing.fuzz)
    built = maketree.build(
        *(chosen, say),
        config=config_file,
        patched=changed,
        jobs=jobs or os.cpu_count() or 1,
        boxed=not unboxed,
    )
    over = {name: chosen.over / name for name in changed}
    kernel = own.take(own.BuildTree(chosen.objects, chosen.source, over), say)
    for step, seconds in built.steps:
        say(f"{step}: {seconds:.0f} s")
    screen.result(str(kernel.directory))
    screen.answer(answers.OwnKernel(directory=str(kernel.directory), steps=dict(built.steps)))
    return DONE


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--release", help="Kernel release or series.  [default: the distribution's]")
def source(directory: Path, release: str | None) -> int:
    """Unpack the whole packaged source of a kernel into DIRECTORY, for 'kernel make'."""
    from z3trace.data import answers
    from z3trace.kernels import fetch

    if directory.exists():
        raise UsageError(f"{directory} exists", "name a directory that is to be made")
    unpacked = fetch.source(release, directory.absolute(), say)
    screen.result(f"{unpacked} in {directory}")
    screen.answer(answers.Unpacked(source=str(unpacked), directory=str(directory)))
    return DONE
