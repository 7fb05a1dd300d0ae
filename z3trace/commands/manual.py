"""Manual pages made from click's own tree: one for z3trace, and one for each verb.

Not ``click-man``: it has no place for exit statuses, files and examples, and leaves hyphens
that a reader cannot copy.
"""

import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from z3trace.commands.everywhere import added
from z3trace.commands.examples import EXAMPLES
from z3trace.commands.verbs import VERBS
from z3trace.errors import STATUSES

_ENVIRONMENT = {
    "Z3TRACE_CACHE": "Where kernels, sources and builds are kept, instead of ~/.cache/z3trace.",
    "Z3TRACE_PROGRAMS": "Where compiled probes are kept, instead of the cache.",
    "Z3TRACE_CONFIG": "The configuration file; empty for none.",
    "Z3TRACE_VERB_OPTION": "The value of an option that is not on the command line, such as "
    "Z3TRACE_RECORD_RUNS=10, Z3TRACE_KERNEL_FETCH_SUITE or, for all verbs, Z3TRACE_QUIET=1.",
    "Z3TRACE_DEBUG": "If set, the traceback of a bug is shown.",
    "NO_COLOR": "If set, nothing is printed in colour.",
}
_FILES = {
    "$XDG_CONFIG_HOME/z3trace/config.toml": "Options of verbs, see z3trace-config(1); the "
    "directory is ~/.config if the variable is not set.  Flags count before the environment, "
    "and that before the file.",
    "~/.cache/z3trace": "Kernels, their sources, builds, and compiled probes.",
}


def escaped(text: str) -> str:
    """*text* for roff: nothing in it is a request, and hyphens can be copied."""
    safe = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", safe, flags=re.M)


def root() -> click.Group:
    """The command that the running verb is one of."""
    found = click.get_current_context().find_root().command
    assert isinstance(found, click.Group)  # noqa: S101 - for the type checker
    return found


def walk(command: click.Group) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every verb with the words that name it; groups before what is in them."""
    context = click.Context(command)
    for name in command.list_commands(context):
        verb = command.get_command(context, name)
        assert verb is not None  # noqa: S101 - for the type checker
        yield (name,), added(verb, name)
        if isinstance(verb, click.Group):
            yield from (((name, *words), one) for words, one in walk(verb))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        yield ".PP"
        yield escaped(" ".join(paragraph.split()))


def _listed(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    for term, meaning in rows:
        yield from (".TP", f"\\fB{escaped(term)}\\fR", escaped(" ".join(meaning.split())))


def _options(command: click.Command) -> list[tuple[str, str]]:
    context = click.Context(command, help_option_names=["-h", "--help"])
    found = [one.get_help_record(context) for one in command.get_params(context)]
    return [record for record in found if record]


def _synopsis(words: Sequence[str], command: click.Command) -> str:
    context = click.Context(command)
    pieces = " ".join(command.collect_usage_pieces(context))
    return f"\\fB{escaped(' '.join(words))}\\fR {escaped(pieces)}"


def _examples(words: tuple[str, ...]) -> Iterator[str]:
    if words not in EXAMPLES:
        return
    yield ".SH EXAMPLES"
    for meaning, line in EXAMPLES[words]:
        yield from (".PP", escaped(meaning), ".PP", ".RS 4", ".EX", escaped(line), ".EE", ".RE")


def _page(
    words: tuple[str, ...], command: click.Command, version: str, short: str, more: Sequence[str]
) -> str:
    name = "-".join(("z3trace", *words))
    lines = [
        f'.TH "{escaped(name.upper())}" 1 "" "z3trace {version}" "z3trace manual"',
        ".nh",
        ".ad l",
        ".SH NAME",
        f"{escaped(name)} \\- {escaped(short.rstrip('.'))}",
        ".SH SYNOPSIS",
        _synopsis(("z3trace", *words), command),
        ".SH DESCRIPTION",
        *_paragraphs(command.help or short),
        ".SH OPTIONS",
        *_listed(_options(command)),
        *_examples(words),
        ".SH EXIT STATUS",
        *_listed([(str(code), text.replace("`", "")) for code, text in STATUSES.items()]),
        *more,
    ]
    return "\n".join(lines) + "\n"


def _references(names: Sequence[str]) -> list[str]:
    return [".SH SEE ALSO", ", ".join(f"\\fB{escaped(name)}\\fR(1)" for name in names)]


def pages(tree: click.Group, version: str) -> dict[str, str]:
    """File name -> roff of every page."""
    verbs = list(walk(tree))
    made = {}
    for words, command in verbs:
        inside = [f"z3trace-{'-'.join(one)}" for one, _ in verbs if one[:-1] == words]
        short = VERBS[words[0]][1] if len(words) == 1 else command.get_short_help_str(200)
        more = _references(["z3trace", *inside])
        made[f"z3trace-{'-'.join(words)}.1"] = _page(words, command, version, short, more)
    rows = [(f"z3trace-{name}(1)", text) for name, (_, text) in VERBS.items()]
    more = [
        *(".SH COMMANDS", *_listed(rows)),
        *(".SH ENVIRONMENT", *_listed(list(_ENVIRONMENT.items()))),
        *(".SH FILES", *_listed(list(_FILES.items()))),
        *_references([f"z3trace-{name}" for name in VERBS]),
    ]
    short = "trace kernel lock patches and compare what they do"
    made["z3trace.1"] = _page((), tree, version, short, more)
    return made


def completions(tree: click.Group) -> dict[str, str]:
    """Shell -> what its user's session reads, for bash, zsh and fish."""
    from click import shell_completion

    made = {}
    for shell in ("bash", "zsh", "fish"):
        kind = shell_completion.get_completion_class(shell)
        assert kind is not None  # noqa: S101 - for the type checker
        complete = kind(tree, {}, "z3trace", "_Z3TRACE_COMPLETE")
        # Not that of bash, which would ask the bash of this machine for its version.
        made[shell] = shell_completion.ShellComplete.source(complete)
    return made


#: Shell -> where below share/ its completion is looked for.
PLACES = {
    "bash": "bash-completion/completions/z3trace",
    "zsh": "zsh/site-functions/_z3trace",
    "fish": "fish/vendor_completions.d/z3trace.fish",
}


def files(tree: click.Group, version: str) -> dict[Path, str]:
    """Path below share/ -> text, of manual pages and completions."""
    made = {Path("man/man1") / name: text for name, text in pages(tree, version).items()}
    scripts = completions(tree)
    return made | {Path(PLACES[shell]): text for shell, text in scripts.items()}
