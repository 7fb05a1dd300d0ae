"""``z3trace ab``: from two variants to a report, in one go."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
import msgspec

from z3trace.commands import options
from z3trace.commands.common import say
from z3trace.errors import DONE, FAILED

DEFAULT_WORKLOAD = (
    "zpool-bench:threads=2,ops=60000,fast_ops=500000,slots=1024,max_size=200,touches=8"
)


@contextmanager
def _progress(path: Path, title: str) -> Iterator[None]:
    """Show what the guest writes to *path*: a bar on a terminal, lines elsewhere."""
    import threading

    stop = threading.Event()
    show = _bar if sys.stderr.isatty() else _lines
    thread = threading.Thread(target=show, args=(path, title, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)


def _state(path: Path) -> "tuple[int, int, str] | None":
    from z3trace.guest.pairspec import PairProgress

    with suppress(OSError, msgspec.MsgspecError):
        found = msgspec.json.decode(path.read_bytes(), type=PairProgress)
        return found.done, found.total, found.doing
    return None


def _lines(path: Path, title: str, stop: "object") -> None:
    last, started = -1, 0.0
    while not stop.wait(0.5):  # type: ignore[attr-defined]
        state = _state(path)
        if state is None:
            continue
        done, total, doing = state
        started = started or (time.monotonic() if done else 0.0)
        step = max(total // 10, 1)
        if done != last and (done % step == 0 or done == total):
            left = (time.monotonic() - started) / max(done - 1, 1) * (total - done)
            tail = f", about {left:.0f} s left" if 1 < done < total else ""
            say(f"{title}: {done}/{total} runs ({doing}){tail}")
            last = done


def _bar(path: Path, title: str, stop: "object") -> None:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[doing]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None, doing="booting the guest")
        while not stop.wait(0.2):  # type: ignore[attr-defined]
            state = _state(path)
            if state is not None:
                progress.update(task, completed=state[0], total=state[1], doing=state[2])


def _default_probes(lock_mode: str) -> list[str]:
    """Probes on locks prolong the operations around them: those have runs of their own."""
    return ["all"] if lock_mode == "none" else ["all", "ops"]


@click.command()
@click.option("--before", default="pool-lock", show_default=True, help="Variant without the patch.")
@click.option("--after", default="page-lock", show_default=True, help="Variant with the patch.")
@click.option(
    "--patch",
    "patches",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A .cocci or .patch that turns 'before' into 'after'; may be repeated.",
)
@options.target
@click.option("--workload", "workload_text", default=DEFAULT_WORKLOAD, show_default=True)
@click.option(
    "--runs",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    help="Probed runs a side.",
)
@click.option(
    "--unprobed",
    type=click.IntRange(0, 1000),
    default=None,
    help="Runs a side without probes, for throughput.  [default: twice as many]",
)
@options.probes
@options.guest
@click.option(
    "-o",
    "--output",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Directory for recordings, plots and reports.",
)
@click.option("--force", is_flag=True, help="Overwrite what is in the directory.")
def command(
    before: str,
    after: str,
    patches: tuple[Path, ...],
    target_name: str,
    workload_text: str,
    runs: int,
    unprobed: int | None,
    lock_mode: str,
    waits: str,
    probe_kinds: tuple[str, ...],
    seed: int,
    calibrate: bool,
    release: str | None,
    cpus: int,
    memory: str,
    accelerator: str,
    deadline: str,
    directory: Path,
    force: bool,
) -> int:
    """Build two variants, record both in turn in one guest, compare.

    The runs of the two sides alternate, and the module is loaded anew for each,
    so that drift and layout fall on both alike.  With --patch, BEFORE plus the
    patches is the after side.
    """
    from z3trace import paths
    from z3trace.commands.common import make_workload
    from z3trace.guest import pairspec, qemu, vm
    from z3trace.kernels import build, fetch
    from z3trace.target import definition
    from z3trace.workloads import workload

    directory = directory.absolute()
    files = [directory / "before.z3t", directory / "after.z3t"]
    for file in files:
        paths.must_be_new(file, force=force)
    target = definition.load(target_name)
    make_workload(workload_text, None, ())
    machine = qemu.Options(
        cpus=cpus,
        memory=memory,
        accelerator=accelerator,
        deadline=workload.seconds(deadline),
        share=directory,
    )
    directory.mkdir(parents=True, exist_ok=True)
    kernel = fetch.cached(release, say)
    variants = [
        build.variant(before),
        build.variant(before, patches) if patches else build.variant(after),
    ]
    modules = [build.build_variant(kernel, target.source, variant, say) for variant in variants]
    build.build_workload(kernel, say)
    build.build_pressure(say)
    spec = pairspec.PairSpec(
        target=target_name,
        workload=workload_text,
        runs=runs,
        unprobed=2 * runs if unprobed is None else unprobed,
        seed=seed,
        lock_mode=lock_mode,
        waits=waits,
        probes=list(dict.fromkeys(probe_kinds)) or _default_probes(lock_mode),
        calibrate=calibrate,
        command=["z3trace", *sys.argv[1:]],
        progress=str(directory / ".progress.json"),
        sides=[
            pairspec.PairSide(label=module.variant, module=str(module.path), output=str(file))
            for module, file in zip(modules, files, strict=True)
        ],
    )
    spec_file = directory / ".ab.json"
    paths.write_atomic(spec_file, msgspec.json.encode(spec))
    say(f"booting {kernel.release} with {cpus} CPUs")
    try:
        with _progress(Path(spec.progress), "recording"):
            outcome = vm.run(
                kernel, [sys.executable, "-m", "z3trace", "ab-guest", str(spec_file)], machine, say
            )
    finally:
        for path in (spec_file, Path(spec.progress)):
            path.unlink(missing_ok=True)
    for warning in outcome.warnings:
        say(f"the guest's console: {warning}")
    if outcome.status:
        return outcome.status if outcome.status < 126 else FAILED
    return _report(files, directory)


def _report(recordings: list[Path], directory: Path) -> int:
    from z3trace.analysis.comparing.comparison import compare
    from z3trace.analysis.figures.recording import Digest
    from z3trace.analysis.report import formats, terminal

    comparison = compare(*(Digest.read(path) for path in recordings))
    click.echo(terminal.render([comparison]))
    written = [*recordings, *formats.write_all(comparison, directory)]
    for path in written:
        click.echo(f"Wrote {path}")
    return DONE
