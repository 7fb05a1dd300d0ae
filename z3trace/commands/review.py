"""``z3trace review``: from a patch as it came by mail to a reply to it."""

import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from z3trace.commands import ab_kernels, bisecting, guesthalves, options, screen
from z3trace.commands.options import GuestOptions
from z3trace.commands.screen import say, wrote
from z3trace.errors import DONE, FAILED, GUEST_LOST, NOT_JUDGED, VIOLATION, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from z3trace.analysis.report.review import Review
    from z3trace.kernels.build import Module
    from z3trace.target.definition import Target

DEFAULT_RUNS = 10
REPLY, KTAP = "review.txt", "review.ktap"
_FIGURES = "threads=2,ops=60000,fast_ops=500000,slots=1024,max_size=200,touches=8"
_PATCH = click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)


@click.command(cls=options.WithCommand)
@click.argument("patches", nargs=-1, required=True, type=_PATCH, metavar="PATCH...")
@click.option(
    "--base",
    "base_name",
    required=True,
    help="The source that the patches are for: 'packaged' for that of the kernel's package, a "
    ".c file, a tree of a kernel or of the module, TREE@REVISION by git, or a variant that "
    "'kernel build' knows.",
)
@options.target
@click.option(
    "--fuzz",
    type=click.IntRange(0, 3),
    default=0,
    show_default=True,
    help="Lines of context at each end of a hunk that may differ.",
)
@options.unboxed
@click.option(
    "--workload",
    "workload_text",
    help="The only workload of the checks.  [default: mixes of what the target is checked with, "
    "chosen by what was not reached so far]",
)
@click.option(
    "--figures-workload",
    "figures_text",
    help="The workload of the recordings.  [default: that of 'ab']",
)
@options.runs(1000, DEFAULT_RUNS, "Runs a side without probes, for the figures; see 'ab'.")
@options.time("--budget", "Begin no further check after this long.", "15m")
@click.option(
    "--figures/--no-figures", default=True, help="Record both sides too, and compare them."
)
@click.option("--link", default="", help="Where the mail can be read, for the report.")
@options.seed
@options.keep_paths
@options.guest
@options.output_directory(f"the reply, {REPLY}, and all reports")
@options.force
@bisecting.option
def command(
    patches: tuple[Path, ...],
    base_name: str,
    target_name: str,
    fuzz: int,
    unboxed: bool,
    workload_text: str | None,
    figures_text: str | None,
    runs: int,
    budget: float,
    figures: bool,
    link: str,
    seed: int,
    keep_paths: bool,
    guest: GuestOptions,
    directory: Path | None,
    force: bool,
    bisect: bool,
    command_line: tuple[str, ...],
) -> int:
    """Check and compare a patch, and write a reply to it.

    PATCH is a patch, a mail or a mailbox with a series, or a reply that quotes the patch
    with remarks between its lines.  Base and patched source are built and checked in
    guests, then recorded in turn.  The reply quotes the patch, with what was found below
    the lines that it is about.  A COMMAND is the workload of both, in the place of ours.
    Exit status 3 if the patch breaks a rule or kills the kernel, 6 if it does neither but some
    rules could not be judged.
    """
    from z3trace import paths
    from z3trace.analysis.report.review import Review
    from z3trace.commands import reviewing
    from z3trace.data.recordable import require_recordable
    from z3trace.kernels import build, workloads
    from z3trace.kernels.base import resolve
    from z3trace.kernels.reviewed import pair as pair_of
    from z3trace.target import definition
    from z3trace.workloads import choose, mixes

    target = definition.load(target_name)
    if not target.source:
        raise UsageError(f"target {target.name} names no source file")
    only = choose.order(workload_text, command_line) if workload_text or command_line else None
    first = mixes.of(target.defaults.check)[0]
    if not only and not target.defaults.check and target.name not in definition.shipped():
        raise UsageError(f"target {target.name} has no workload", "give --workload or -- COMMAND")
    usual = target.defaults.compare or first.bench_on(target.name, _FIGURES)
    measured = only if only and command_line and not figures_text else None
    measured = measured or choose.order(figures_text, (), usual)
    orders = [only or choose.Order(first.workload(target.name)), *([measured] if figures else [])]
    for order in orders:
        guesthalves.work_of(order)
    if figures:
        guesthalves.say_if_few(target, runs)
    kept = directory.resolve() if directory else None
    if kept:
        for path in (kept / REPLY, ab_kernels.folder(kept)):
            paths.must_be_new(path, force=force)
        _make_room(kept)
    kernel, boxed = guest.kernel(say), not unboxed
    names = {"target": target.name, "module": target.module}
    base = resolve(base_name, kernel, target.source, say, boxed=boxed, **names)
    pair = pair_of(kernel, target.source, base, patches, say, fuzz=fuzz, boxed=boxed)
    longest = max(map(str, orders), key=len)
    for each in (pair.before, pair.after):
        require_recordable(build.label(each.name, boxed=boxed), sys.argv[1:], longest)
    modules = [
        build.build_variant(kernel, target.source, each, say, boxed=boxed)
        for each in (pair.before, pair.after)
    ]
    notes = [*pair.notes, *_absent(target, modules)]
    workloads.build_workloads(kernel, [order.text for order in orders], say)
    words = ["z3trace", *sys.argv[1:]]
    setting = reviewing.Setting(
        *(kernel, target, target_name, guest),
        stranger=True,
        boxed=boxed,
        seed=seed,
        keep_paths=keep_paths,
        command=words,
    )
    asked = reviewing.Asked(only, measured if figures else None, runs, budget)
    with nullcontext(str(kept)) if kept else tempfile.TemporaryDirectory() as name:
        found = reviewing.run(setting, (pair.before, pair.after), modules, asked, Path(name))
        review = Review(
            target=target.name,
            texts=pair.texts,
            base=base.origin,
            command=words,
            commit=base.commit,
            link=link,
            notes=notes,
            before=found.before,
            after=found.after,
            comparison=found.comparison,
            left=found.left,
        )
        return _report(review, kept)


def _make_room(directory: Path) -> None:
    """What an earlier review left is gone before this one begins."""
    from z3trace import paths
    from z3trace.commands import ab

    ab.make_room(directory)
    paths.discard(directory, [REPLY, KTAP])
    for side in ("base", "patched"):
        if (directory / side).is_dir() and not (directory / side).is_symlink():
            paths.remove_tree(directory / side)


def _absent(target: "Target", modules: "Sequence[Module]") -> list[str]:
    """Lock classes of the target that a side does not have, known before anything boots."""
    from z3trace.target import plan

    notes = []
    for module in modules:
        missing = plan.absent(plan.make(target.of_file(module.path), module.path).locks)
        if missing:
            notes.append(f"{module.variant} has no lock of class {', '.join(missing)}")
            say(notes[-1])
    return notes


def _ktap(review: "Review") -> str:
    from z3trace.analysis.report import ktap

    checks = (("check of the base", review.before), ("check of the patched", review.after))
    groups = [(name, ktap.of_check(report)) for name, report in checks if report]
    if review.comparison:
        groups.append(("compare", ktap.of_comparison(review.comparison)))
    return ktap.nested(groups)


def _report(review: "Review", kept: Path | None) -> int:
    """Print and write the reply and the reports; the exit code."""
    from z3trace import paths
    from z3trace.analysis.report import checkformats, formats, remarks, reviewjson
    from z3trace.analysis.report import review as replies

    text = replies.render(review)
    screen.result(text)
    if kept:
        paths.write_atomic(kept / REPLY, text)
        paths.write_atomic(kept / KTAP, _ktap(review))
        for name in (REPLY, KTAP):
            wrote(kept / name)
        for side, report in (("base", review.before), ("patched", review.after)):
            for path in checkformats.write_all(report, kept / side) if report else []:
                wrote(path)
        for path in formats.write_all(review.comparison, kept) if review.comparison else []:
            wrote(path)
    screen.answer(reviewjson.render(review))
    if review.after is None:
        return FAILED
    if remarks.of_check(review.after, review.before):
        return VIOLATION
    if review.after.verdict == "lost":
        return GUEST_LOST
    # A kernel that died as that of the base does was not seen to the end of its mix either.
    return NOT_JUDGED if review.after.hang or review.after.verdict == "incomplete" else DONE
