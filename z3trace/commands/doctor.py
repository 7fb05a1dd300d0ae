"""``z3trace doctor``: what this kernel allows, and what a recording would see."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from z3trace.commands import options
from z3trace.errors import CANNOT_TRACE, DONE

if TYPE_CHECKING:
    from z3trace.probing.doctor import Diagnosis
    from z3trace.probing.preflight import Check


@click.command()
@options.target
@options.module_file
@options.load
@options.lock_mode(*options.LOCK_MODES, default="callsite")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def command(
    target_name: str, module_file: Path | None, load: bool, lock_mode: str, as_json: bool
) -> int:
    """Print what this kernel allows: requirements, operations, every lock call site.

    The last line says whether a recording would see everything.  Exit status 4 if
    this kernel allows no recording at all.
    """
    from z3trace.probing import preflight
    from z3trace.target import definition

    target = definition.load(target_name)
    checks = preflight.checks()
    missing = [check for check in checks if check.state == "missing"]
    found = None if missing else _diagnosis(target, module_file, load, lock_mode)
    if as_json:
        click.echo(_json(checks, found))
    else:
        _text(checks, found)
    if missing:
        click.echo(f"no recording can be made: {missing[0].said}", err=as_json)
        return CANNOT_TRACE
    return DONE


def _diagnosis(
    target: "object", module_file: Path | None, load: bool, lock_mode: str
) -> "Diagnosis":
    from z3trace.probing import doctor
    from z3trace.recording import loading
    from z3trace.target import definition, plan

    assert isinstance(target, definition.Target)  # noqa: S101 - for the type checker
    path = module_file.absolute() if module_file else None
    module = loading.target_module(target, path, load=load, reload=False)
    module.before_run()
    try:
        return doctor.diagnose(plan.make(target, path), lock_mode)
    finally:
        module.after_all()


def _text(checks: "list[Check]", found: "Diagnosis | None") -> None:
    from z3trace.columns import table

    rows = [[check.name, check.state, check.said, check.hint] for check in checks]
    click.echo("\n".join(table(["requirement", "state", "", ""], rows, 4)))
    if found is None:
        return
    click.echo("")
    rows = [[name, symbol or "none", way] for name, symbol, way in found.operations]
    click.echo("\n".join(table(["operation", "symbol", "probed by"], rows, 3)))
    click.echo("")
    rows = [
        [
            f"{site.function}+{site.offset:#x}",
            site.lock_function,
            found.classes.get(site.number) or "-",
            " < ".join([f"{site.file}:{site.line}", *reversed(site.inlined)]) if site.file else "-",
            site.method if site.attached else f"not seen: {site.reason}",
        ]
        for site in found.sites
    ]
    header = ["call site", "lock function", "likely class", "source", "seen by"]
    click.echo("\n".join(table(header, rows, 5)))
    click.echo("")
    if found.lock_mode != "none":
        where = ", ".join(found.slow_paths)
        click.echo(f"waits are seen {f'in {where}' if where else 'at the call sites'}")
    click.echo(found.verdict)


def _json(checks: "list[Check]", found: "Diagnosis | None") -> str:
    import msgspec

    data: dict[str, object] = {"requirements": [msgspec.to_builtins(check) for check in checks]}
    if found is not None:
        data |= {
            "operations": [
                {"name": name, "symbol": symbol, "probed_by": way}
                for name, symbol, way in found.operations
            ],
            "sites": [
                {**msgspec.to_builtins(site), "likely_class": found.classes.get(site.number, "")}
                for site in found.sites
            ],
            "slow_paths": list(found.slow_paths),
            "whole": not found.unseen,
            "verdict": found.verdict,
        }
    return msgspec.json.format(msgspec.json.encode(data)).decode()
