"""``z3trace check``: lock discipline, judged while a workload runs."""

import sys
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from z3trace.commands import options
from z3trace.commands.common import make_workload, say
from z3trace.errors import (
    DONE,
    FAILED,
    GUEST_LOST,
    VIOLATION,
    GuestLostError,
    UsageError,
    Z3traceError,
)

DEFAULT_WORKLOAD = (
    "zpool-bench:threads=2,ops=400000,slots=64,headless=10,reclaim=20,refuse=30,drain=1"
)
#: A guest under check prints what it finds, and a CPU that hangs for 8 s is told of.
GUEST_WORDS = "tp_printk watchdog_thresh=4"
PACKAGED = "packaged"


@dataclass(frozen=True)
class _Wanted:
    target: str
    workload: str | None
    duration: str | None
    command: tuple[str, ...]
    lock_mode: str
    seed: int
    hold: float
    wait: float


@click.command(context_settings={"ignore_unknown_options": False})
@options.target
@click.option(
    "--variant",
    help="Check this variant of the target in a guest: one that 'kernel build' knows, a .toml "
    "file, or 'packaged' for the kernel's own module.",
)
@click.option(
    "--patch",
    "patches",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A .cocci or .patch on top of the variant (default: page-lock), in a guest; may be "
    "repeated.",
)
@click.option(
    "--workload",
    "workload_text",
    help=f"A workload of our own.  [default in a guest: {DEFAULT_WORKLOAD}]",
)
@click.option("--duration", help="Check whatever happens for this long, such as 10s.")
@click.option(
    "--module",
    "module_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The target's module file, if it is not the packaged one.",
)
@click.option(
    "--load", is_flag=True, help="Load the target's module if it is not, and unload it after."
)
@click.option(
    "--locks",
    "lock_mode",
    type=click.Choice(["callsite", "function", "hybrid"]),
    default="hybrid",
    show_default=True,
    help="How to see locks: at the target's call sites, in the lock functions, or there for "
    "sites that cannot carry a probe.",
)
@click.option("--seed", type=click.IntRange(0, 1 << 31), default=1, show_default=True)
@click.option("--long-hold", default="2s", show_default=True, help="Tell of a longer hold.")
@click.option("--long-wait", default="2s", show_default=True, help="Tell of a longer wait.")
@click.option(
    "--reference",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A check or recording of a good kernel: nesting that it never saw is a violation.",
)
@click.option("--label", default="", help="What to call this in reports.")
@options.guest
@click.option(
    "-o",
    "--output",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory for the reports: check.txt, .json, .html and lock-order.svg.",
)
@click.option("--force", is_flag=True, help="Overwrite what is in the directory.")
@click.argument("command_line", nargs=-1, metavar="[-- COMMAND...]", type=click.UNPROCESSED)
def command(
    target_name: str,
    variant: str | None,
    patches: tuple[Path, ...],
    workload_text: str | None,
    duration: str | None,
    module_file: Path | None,
    load: bool,
    lock_mode: str,
    seed: int,
    long_hold: str,
    long_wait: str,
    reference: Path | None,
    label: str,
    release: str | None,
    cpus: int,
    memory: str,
    accelerator: str,
    deadline: str,
    directory: Path | None,
    force: bool,
    command_line: tuple[str, ...],
) -> int:
    """Judge a target's lock discipline while a workload runs.

    On this kernel as root, or with --variant or --patch in a guest that is booted for
    it.  Every lock taken must be released, by its taker, once, in one order, before
    the operation returns; what breaks a rule is told with file and line.  Exit status
    3 if a rule was broken.
    """
    from z3trace import paths
    from z3trace.guest import qemu
    from z3trace.workloads import workload

    in_guest = bool(variant or patches)
    wanted = _Wanted(
        target_name,
        *(workload_text, duration, command_line),
        *(lock_mode, seed),
        hold=workload.seconds(long_hold),
        wait=workload.seconds(long_wait),
    )
    if in_guest and (duration or command_line or module_file):
        raise UsageError("in a guest a check runs a workload of our own", "give --workload")
    kept = directory.absolute() if directory else None
    if kept:
        paths.must_be_new(kept / "check.json", force=force)
        kept.mkdir(parents=True, exist_ok=True)
    with nullcontext(str(kept)) if kept else tempfile.TemporaryDirectory() as name:
        file = Path(name) / "check.z3c"
        if in_guest:
            machine = qemu.Options(
                cpus=cpus,
                memory=memory,
                append=GUEST_WORDS,
                accelerator=accelerator,
                deadline=workload.seconds(deadline),
                share=Path(name),
            )
            console, lost = _guest(wanted, variant, patches, release, label, machine, file)
        else:
            console, lost = "", ""
            _here(wanted, module_file, label or target_name, file, load=load)
        return _report(file, console, lost, reference, kept)


def _here(wanted: _Wanted, module_file: Path | None, label: str, file: Path, *, load: bool) -> None:
    from z3trace.checking import run
    from z3trace.checking.arming import Limits
    from z3trace.probing import preflight
    from z3trace.recording import loading
    from z3trace.target import definition

    work = make_workload(wanted.workload, wanted.duration, wanted.command)
    target = definition.load(wanted.target)
    preflight.require_traceable()
    path = module_file.absolute() if module_file else None
    module = loading.target_module(target, path, load=load, reload=False)
    limits = Limits(hold=wanted.hold, wait=wanted.wait)
    say(f"checking {work.description}")
    asked = run.Asked(label, ["z3trace", *sys.argv[1:]], wanted.lock_mode, wanted.seed, limits)
    run.check(target, module, path, work, asked, file)


def _guest(
    wanted: _Wanted,
    variant: str | None,
    patches: tuple[Path, ...],
    release: str | None,
    label: str,
    machine: "object",
    file: Path,
) -> tuple[str, str]:
    """(console, why the guest was lost) after a check in a guest."""
    from z3trace import paths
    from z3trace.guest import checkspec, vm
    from z3trace.kernels import build, fetch
    from z3trace.target import definition

    target = definition.load(wanted.target)
    text = wanted.workload or DEFAULT_WORKLOAD
    make_workload(text, None, ())
    kernel = fetch.cached(release, say)
    module, name = "", PACKAGED
    if variant != PACKAGED or patches:
        chosen = build.variant(variant or "page-lock", patches)
        built = build.build_variant(kernel, target.source, chosen, say)
        module, name = str(built.path), built.variant
    build.build_workload(kernel, say)
    build.build_pressure(say)
    spec = checkspec.CheckSpec(
        target=wanted.target,
        label=label or name,
        module=module,
        workload=text,
        lock_mode=wanted.lock_mode,
        seed=wanted.seed,
        hold=wanted.hold,
        wait=wanted.wait,
        command=["z3trace", *sys.argv[1:]],
        output=str(file),
    )
    spec_file = file.parent / ".check.json"
    paths.write_atomic(spec_file, msgspec.json.encode(spec))
    say(f"booting {kernel.release}, checking {name}")
    words = [sys.executable, "-m", "z3trace", "check-guest", str(spec_file)]
    try:
        outcome = vm.run(kernel, words, machine, say)  # type: ignore[arg-type]
    except GuestLostError as error:
        console = file.parent / "guest-console.log"
        text = console.read_text(errors="replace") if console.exists() else ""
        if not file.exists() and not file.with_name(file.name + ".part").exists():
            raise
        return text, error.message.splitlines()[0]
    finally:
        spec_file.unlink(missing_ok=True)
    if outcome.status and not file.exists():
        raise Z3traceError("the check failed in the guest", "what it said is above")
    return outcome.console, ""


def _report(file: Path, console: str, lost: str, reference: Path | None, kept: Path | None) -> int:
    from z3trace.analysis.checks import discipline, order
    from z3trace.analysis.report import checkreport
    from z3trace.data import checkfile

    known = order.nesting_of(reference) if reference else None
    report = discipline.report(checkfile.read(file), console, lost, known)
    click.echo(checkreport.text(report))
    for path in checkreport.write_all(report, kept) if kept else []:
        click.echo(f"Wrote {path}")
    if report.violations:
        return VIOLATION
    if lost:
        return GUEST_LOST
    failed = report.workload_status and not report.interrupted
    return FAILED if report.lost_events or failed else DONE
