"""The configuration file: options of verbs, below what flags and environment say.

``[record] runs = 10`` is ``record --runs 10``; ``[kernel.fetch]`` is of ``kernel fetch``.
``quiet``, ``verbose`` and ``json`` stand above all tables, for every verb.
"""

import os
import pwd
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from z3trace.commands import everywhere
from z3trace.commands.verbs import VERBS
from z3trace.errors import InputError

VARIABLE = "Z3TRACE_CONFIG"
_WHAT = "a configuration of z3trace"
_LIMIT = 64 << 10  # bytes
_WIDTH = 96  # columns of the sample


def path() -> Path | None:
    """Where the file is, there or not; None if there is to be none.

    Root has one of its own, also where the environment is a user's (``sudo -E``).
    """
    chosen = os.environ.get(VARIABLE)
    if chosen is not None:
        return Path(chosen) if chosen else None
    home = os.environ.get("XDG_CONFIG_HOME", "")
    directory = Path(home) if home.startswith("/") else Path("~/.config").expanduser()
    file = directory / "z3trace/config.toml"
    if os.geteuid() == 0 and file.exists():
        from z3trace.paths import why_untrusted

        if why_untrusted(file):
            return Path(pwd.getpwuid(0).pw_dir) / ".config/z3trace/config.toml"
    return file


def read() -> dict[str, Any]:
    """What the file says, {} without one; InputError if it is no TOML, or if it has a table
    of no verb."""
    file = path()
    if file is None or not (file.exists() or VARIABLE in os.environ):
        return {}
    from z3trace import paths

    data = paths.read_toml(file, _WHAT, _LIMIT)
    for name, value in data.items():
        if isinstance(value, dict) and name not in VERBS:
            raise _wrong(f"there is no verb {name}", f"verbs are {', '.join(VERBS)}")
        if not isinstance(value, dict) and name not in everywhere.NAMES:
            raise _wrong(
                f"{name} stands above all tables",
                f"only {', '.join(everywhere.NAMES)} may; other options go below [VERB]",
            )
    return data


def _wrong(said: str, hint: str = "") -> InputError:
    return InputError(f"{path()}: {said}", hint)


def defaults(verb: str, command: click.Command) -> dict[str, Any]:
    """Parameter -> value of the file for *verb*, which is *command*; for a group, a mapping
    for each of its verbs.

    InputError for what is no option of the verb, or has no such value.
    """
    data = read()
    above = {name: value for name, value in data.items() if not isinstance(value, dict)}
    return _below(command, data.get(verb, {}), verb, above)


def _below(
    command: click.Command, table: Mapping[str, Any], name: str, above: Mapping[str, Any]
) -> dict[str, Any]:
    if isinstance(command, click.Group):
        for key in table:
            if key not in command.commands or not isinstance(table[key], dict):
                raise _wrong(f"[{name}] has no verb {key}", f"it has {', '.join(command.commands)}")
        return {
            key: _below(one, table.get(key, {}), f"{name}.{key}", above)
            for key, one in command.commands.items()
        }
    known = {everywhere.name_of(one): one for one in everywhere.settable(command)}
    made = {}
    for key, value in {**above, **table}.items():
        if key not in known:
            raise _wrong(
                f"[{name}] {key} is no option that can be set here",
                f"'z3trace {name.replace('.', ' ')} --help' lists its options",
            )
        made[str(known[key].name)] = _checked(command, known[key], value, f"[{name}] {key}")
    return made


def _checked(command: click.Command, option: click.Option, value: Any, where: str) -> Any:
    """*value* as click takes it; it converts it once more when it is used."""
    if isinstance(value, dict):
        raise _wrong(f"{where} is a table, not a value")
    several = option.multiple or option.nargs != 1
    if isinstance(value, list) != several:
        raise _wrong(f"{where} takes {'a list' if several else 'one value'}")
    if option.is_flag and not isinstance(value, bool):
        raise _wrong(f"{where} is true or false")
    text = [str(one) for one in value] if isinstance(value, list) else value
    text = str(value) if not isinstance(value, list | bool) else text
    try:
        option.type_cast_value(click.Context(command), text)
    except click.BadParameter as error:
        raise _wrong(f"{where}: {' '.join(error.message.split())}") from error
    return text


def settings(root: click.Group) -> Iterator[tuple[str, str, str, str]]:
    """(verb, option, value, where it is set) of all that is set for a verb, in the environment
    or in the file; InputError as of ``defaults``."""
    from z3trace.commands.manual import walk

    context = click.Context(root)
    file = {
        name: defaults(name, command)
        for name in VERBS
        if (command := root.get_command(context, name)) is not None
    }
    for words, command in walk(root):
        if isinstance(command, click.Group):
            continue
        table = file[words[0]] if len(words) == 1 else file[words[0]][words[1]]
        for option in everywhere.settable(command):
            variable, name = str(option.envvar), everywhere.name_of(option)
            if os.environ.get(variable):
                yield " ".join(words), name, os.environ[variable], f"${variable}"
            elif option.name in table:
                yield " ".join(words), name, str(table[option.name]), str(path())


def sample(root: click.Group) -> str:
    """A file with every option as a comment, with its meaning."""
    from z3trace.commands.manual import walk

    lines = [
        "# Options of z3trace's verbs.  Flags count before the environment, and that before",
        "# this file.  'z3trace config' says what is set.",
        "",
        "# For all verbs:",
        *(f"# {name} = true" for name in everywhere.NAMES),
    ]
    for words, command in walk(root):
        if isinstance(command, click.Group):
            continue
        lines += ["", f"[{'.'.join(words)}]"]
        for option in everywhere.settable(command):
            name = everywhere.name_of(option)
            if name not in everywhere.NAMES:
                lines += [*_meaning(option.help or ""), _line(command, option)]
    return "\n".join(lines) + "\n"


def _meaning(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(
        text, _WIDTH, initial_indent="## ", subsequent_indent="## ", break_on_hyphens=False
    )


def _line(command: click.Command, option: click.Option) -> str:
    """An option with its default, or without a value if it has none, as a comment."""
    value = option.get_default(click.Context(command))
    name = everywhere.name_of(option)
    if option.multiple:
        return f"# {name} = []"
    if option.is_flag:
        return f"# {name} = {str(value is True).lower()}"
    if isinstance(value, int):
        return f"# {name} = {value}"
    return f'# {name} = "{value if isinstance(value, str) else ""}"'
