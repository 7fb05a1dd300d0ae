"""``z3trace doctor``: what this kernel allows, and what a recording would see."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from z3trace.commands import options, screen
from z3trace.errors import CANNOT_TRACE, DONE

if TYPE_CHECKING:
    from z3trace.data.answers import Doctor
    from z3trace.probing.doctor import Diagnosis, PriceList
    from z3trace.probing.preflight import Check


@click.command()
@options.target
@options.module_file
@options.load
@options.lock_mode(*options.LOCK_MODES, default="callsite")
@click.option(
    "--prices",
    "with_prices",
    is_flag=True,
    help="Measure what each way to see locks costs here, which takes some seconds.",
)
def command(
    target_name: str,
    module_file: Path | None,
    load: bool,
    lock_mode: str,
    with_prices: bool,
) -> int:
    """Print what this kernel allows: requirements, operations, every lock call site.

    The last line says whether a recording would see everything.  Exit status 4 if
    this kernel allows no recording at all.
    """
    from z3trace.probing import preflight
    from z3trace.target import definition

    target = definition.load(target_name).of_file(module_file)
    checks = preflight.checks()
    missing = [check for check in checks if check.state == "missing"]
    found, costs = None, None
    if not missing:
        found, costs = _diagnosis(target, module_file, load, lock_mode, with_prices)
    if screen.manner.json:
        screen.answer(_answer(checks, found, costs))
    else:
        _text(checks, found, costs)
    if missing:
        screen.complain(f"no recording can be made: {missing[0].said}")
        return CANNOT_TRACE
    return DONE


def _diagnosis(
    target: "object", module_file: Path | None, load: bool, lock_mode: str, with_prices: bool
) -> "tuple[Diagnosis, PriceList | None]":
    from z3trace.probing import doctor
    from z3trace.recording import loading
    from z3trace.target import definition, plan

    assert isinstance(target, definition.Target)  # noqa: S101 - for the type checker
    path = module_file.absolute() if module_file else None
    module = loading.target_module(target, path, load=load, reload=False)
    module.before_run()
    try:
        made = plan.make(target, path)
        costs = doctor.priced(made) if with_prices else None
        return doctor.diagnose(made, lock_mode), costs
    finally:
        module.after_all()


def _text(checks: "list[Check]", found: "Diagnosis | None", costs: "PriceList | None") -> None:
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
    if costs is not None:
        _price_table(costs)
    click.echo(found.verdict)


def _price_table(costs: "PriceList") -> None:
    from z3trace.columns import table
    from z3trace.probing.choice import RULE

    rows = [
        [price.way, f"{price.target} ns", f"{price.others} ns" if price.others else "nothing"]
        for price in costs.prices
    ]
    click.echo("")
    header = ["a lock pair seen", "costs the target", "and everybody else"]
    click.echo("\n".join(table(header, rows, 3)))
    click.echo(f"--locks auto takes {costs.cheapest} here: {RULE}")
    click.echo("")


def _answer(
    checks: "list[Check]", found: "Diagnosis | None", costs: "PriceList | None"
) -> "Doctor":
    import msgspec

    from z3trace.data import answers

    data: dict[str, object] = {
        "requirements": [msgspec.to_builtins(check) for check in checks],
        "can_record": all(check.state != "missing" for check in checks),
    }
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
    if costs is not None:
        data |= {
            "prices": [msgspec.to_builtins(price) for price in costs.prices],
            "cheapest": costs.cheapest,
        }
    return msgspec.convert(data, answers.Doctor)
