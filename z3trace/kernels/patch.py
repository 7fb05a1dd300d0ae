"""Read and apply patches: semantic (``.cocci``) and unified (``.patch``, ``.diff``, mails).

Patches come from strangers.  What is plainly code in one is refused when it is read
(``semantic.py``, ``unified.py``).  A semantic patch runs in the box, gets at the source
alone, and what it makes of that is read back as something a stranger wrote.  Of a unified
one, the lines for the module are put into its source here.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from z3trace import paths
from z3trace.errors import InputError, UsageError
from z3trace.kernels import (
    handed,
    mail,
    placing,
    quoted,
    restoring,
    semantic,
    series,
    unified,
)
from z3trace.kernels.box import Box
from z3trace.words import amount

Say = Callable[[str], None]

_SOURCE_LIMIT = 4 << 20  # bytes
_MOST_LINES = 100_000  # of a source
_MOST_PATCHES = 100  # of one file
_MOST_TOLD = 20
_ALIGNED = re.compile(rb"__attribute__\(\(aligned\((\w+)\)\)\)")
_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"\n]{1,200})"', re.MULTILINE)
_DEFINE = re.compile(r"([A-Za-z_]\w{0,100})(?:=(\w{1,100}))?")


@dataclass(frozen=True)
class Patch:
    """A patch as it was read, once: the same bytes are judged, digested and applied."""

    #: The file that it was in, as messages say it, and itself.
    file: str
    name: str
    #: Rules of Coccinelle, or a diff.
    data: bytes
    #: Of the mail that it came in.
    subject: str = ""
    is_semantic: bool = False
    #: What the rules are given with ``-D``.
    defines: tuple[str, ...] = ()
    #: Whether it is the quote of a reply, the blanks of which are to be restored.
    is_quoted: bool = False
    #: Who sent the mail that it came in, and what says when it was written, see ``mail``.
    sender: str = ""
    wrote: str = ""
    #: The mail's Message-ID; of a quoted one that of the mail that the reply answers.
    message: str = ""

    @property
    def identity(self) -> bytes:
        """All that decides what it does."""
        return b"\0".join([self.data, *(define.encode() for define in self.defines)])


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True)
class Way:
    """How patches are applied, and who is told what was left out or not put exactly where it
    should be."""

    say: Callable[[Patch, str], None] = lambda _, __: None
    #: Lines of context that need not fit.
    fuzz: int = 0
    #: Whether programs run in the box.
    boxed: bool = True
    #: Whether the module is of many files, all of which may change, see ``manyfiles``.
    many: bool = False
    #: Told of every change that was made, with the diff that it is from, and where it went.
    placed: Callable[[Patch, bytes, unified.Change, list[placing.Place]], None] = lambda *_: None


def read_all(files: Iterable[Path], say: Say = _silent, defines: Sequence[str] = ()) -> list[Patch]:
    """The patches in *files*, in order; UsageError if a name of *defines* is in none."""
    patches = [patch for file in files for patch in read(file, say, defines)]
    used = {define for patch in patches for define in patch.defines}
    for define in defines:
        if define not in used:
            raise UsageError(f"--define {define}: no patch has a virtual rule of that name")
    return patches


def read(path: Path, say: Say = _silent, defines: Sequence[str] = ()) -> list[Patch]:
    """The patches in a file, or on standard input for ``-``, in their order; *say* is told
    what in a mailbox is left out.  InputError if there is none, or if one holds code.

    A link to a patch is followed: the user named it.
    """
    name, data = handed.shown(path), handed.read(path)
    if handed.is_semantic(path) or (not mail.is_mail(data) and semantic.looks_like(data)):
        semantic.must_be_plain(name, data)
        chosen = _defined(name, data, defines)
        return [Patch(name, name, data, is_semantic=True, defines=chosen)]
    parts = series.chosen(name, quoted.answered(name, mail.read(name, data), say), say)
    if len(parts) == 1:
        return [_of_mail(name, name, parts[0].mail)]
    if len(parts) > _MOST_PATCHES:
        raise InputError(f"{name} has more than {_MOST_PATCHES} patches")
    patches = []
    for number, part in enumerate(parts, 1):
        place = "{}/{}".format(*(part.place if part.place[1] else (number, len(parts))))
        say(f"{name} {place}: {part.title}")
        patches.append(_of_mail(name, f"{name} {place}", part.mail))
    return patches


def _of_mail(file: str, name: str, found: mail.Mail) -> Patch:
    return Patch(
        *(file, name, found.diff, found.subject),
        is_quoted=found.quoted,
        sender=found.sender,
        wrote=found.wrote,
        message=found.identity,
    )


def _defined(name: str, data: bytes, defines: Sequence[str]) -> tuple[str, ...]:
    """Those of *defines* that the rules *data* know; UsageError if the user has to choose."""
    wanted = semantic.virtual(data)
    chosen = []
    for define in defines:
        found = _DEFINE.fullmatch(define)
        if not found:
            raise UsageError(f"--define {define!r} is no name, such as patch")
        if found[1] in wanted:
            if wanted[found[1]] != bool(found[2]):
                raise UsageError(
                    f"--define {define}: {name} wants a name" + "=VALUE" * (not found[2])
                )
            chosen.append(define)
    given = {define.partition("=")[0] for define in chosen}
    values = [each for each, value in wanted.items() if value and each not in given]
    if wanted and (not chosen or values):
        names = ", ".join(values or wanted)
        raise UsageError(
            f"{name} has virtual rules, of which none is chosen: {names[:200]}",
            f"choose with --define {(values or list(wanted))[0][:100]}{'=VALUE' * bool(values)}",
        )
    return tuple(chosen)


def apply(patches: Sequence[Patch], tree: Path, source: str, way: Way) -> list[str]:
    """Apply *patches* in order to *source* in *tree*, and to headers beside it; the names of
    those headers that the module includes, or of its other files, that were made or changed.

    InputError if something does not fit without more fuzz, or if nothing of a file is for
    the source.
    """
    changed: dict[str, bool] = {}
    headers: dict[str, Patch] = {}
    for patch in patches:
        before = read_source(tree / source)
        if patch.is_semantic:
            before = _parseable(before)
            paths.write_atomic(tree / source, before)
            _apply_semantic(patch, tree, source, boxed=way.boxed)
            others = set()
        else:
            others = _apply_unified(patch, tree, source, way)
            headers |= dict.fromkeys(others, patch)
        now = read_source(tree / source)
        anything = now != before or (way.many and bool(others))
        changed[patch.file] = changed.get(patch.file, False) or anything
    for name, anything in changed.items():
        if not anything:
            raise InputError(
                f"{name} changes nothing in {source}", "is it for this kernel, and for this file?"
            )
    included = set(headers) if way.many else _included(tree, source, set(headers))
    for path in sorted(headers.keys() - included):
        way.say(headers[path], f"left out: {path}, which {source} does not include")
    return sorted(included)


def read_source(path: Path) -> bytes:
    """The source, as far as it is one: InputError for a link, a device, a flood."""
    return paths.read_bounded(path, _SOURCE_LIMIT, follow=False)


def _parseable(source: bytes) -> bytes:
    """Coccinelle gives up on a function with an attribute that takes an argument;
    the kernel's own macro for it means the same and is understood."""
    return _ALIGNED.sub(rb"__aligned(\1)", source)


def _apply_semantic(patch: Patch, tree: Path, source: str, *, boxed: bool) -> None:
    defines = [word for define in patch.defines for word in ("-D", define)]
    Box(tree, boxed=boxed).run(
        ["spatch", "--very-quiet", *defines, "--sp-file", "/dev/stdin", "--in-place", source],
        data=patch.data,
        doing=f"{patch.name} (spatch)",
    )


def _apply_unified(patch: Patch, tree: Path, source: str, way: Way) -> set[str]:
    """The headers that a patch makes or changes."""
    data = _like(_restored(patch, tree, source, way), read_source(tree / source))
    lines = unified.lines_for(patch.name, data, source, many=way.many)
    headers = set()
    left_out = list(lines.left_out)
    for change in lines.changes:
        header = change.path != source
        there = (tree / change.path).exists()
        if header and not change.is_new and not there:
            left_out.append(f"{change.path}; the source package has none to change")
            continue
        if header and change.is_new:
            _must_be_free(patch, change.path, there=there)
            (tree / change.path).parent.mkdir(parents=True, exist_ok=True)
        content = b"" if change.is_new else read_source(tree / change.path)
        paths.write_atomic(tree / change.path, _placed(patch, data, change, content, way))
        headers |= {change.path} if header else set()
    for text in left_out[:_MOST_TOLD]:
        way.say(patch, f"left out: {text}")
    if len(left_out) > _MOST_TOLD:
        way.say(patch, f"left out: {amount(len(left_out) - _MOST_TOLD, 'more file')}")
    return headers


def _restored(patch: Patch, tree: Path, source: str, way: Way) -> bytes:
    """A patch's diff; of a quoted one with the blanks of the files that it changes."""
    if not patch.is_quoted:
        return patch.data

    def look(path: str) -> bytes | None:
        there = path == source or unified.is_of(path, source, many=way.many)
        return read_source(tree / path) if there and (tree / path).exists() else None

    found = restoring.restored(patch.name, patch.data, source, look)
    for note in found.notes:
        way.say(patch, note)
    return found.data


def _like(data: bytes, source: bytes) -> bytes:
    """*data* in the encoding of *source*: a patch that is not in UTF-8, for a source that is,
    is taken for Latin 1."""
    if _is_utf8(source) and not _is_utf8(data):
        return data.decode("latin-1").encode()
    return data


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _must_be_free(patch: Patch, path: str, *, there: bool) -> None:
    ours = {"histogram.h", *(header.name for header in paths.testbed().rglob("*.h"))}
    if there or Path(path).name in ours:
        raise InputError(f"{patch.name} makes {path}, which is there already")


def _placed(patch: Patch, data: bytes, change: unified.Change, content: bytes, way: Way) -> bytes:
    """*content* with a change in it."""
    if content.count(b"\n") > _MOST_LINES:
        raise InputError(f"{change.path} has more than {_MOST_LINES} lines")
    try:
        content, places = placing.place(change.path, content, change.hunks, way.fuzz)
    except InputError as error:
        raise InputError(f"{patch.name} does not apply: {error.message}", error.hint) from error
    for text in placing.told(places):
        way.say(patch, f"{change.path}: {text}")
    way.placed(patch, data, change, places)
    return content


def included(content: bytes) -> list[str]:
    """The headers beside it that a source includes, by their names."""
    return [name.decode("latin-1") for name in _INCLUDE.findall(content)]


def _included(tree: Path, source: str, headers: set[str]) -> set[str]:
    """Those of *headers* that *source* includes, itself or through another one of them."""
    directory = source.rpartition("/")[0]
    found: set[str] = set()
    pending = [source]
    while pending:
        for name in included(read_source(tree / pending.pop())):
            path = f"{directory}/{name}"
            if path in headers - found:
                found.add(path)
                pending.append(path)
    return found
