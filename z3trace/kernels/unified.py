"""Unified patches: what of one is for a module, which is lines of its source, and headers
beside it.

A patch may do much more: make, rename and remove files, make links, hold binary data or a
script for ``ed``.  Nothing of that is done: what is not for the module is left out and told,
and a patch that does more than that to the module's source is refused.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from unidiff.errors import UnidiffParseError
from unidiff.patch import Hunk as ReadHunk
from unidiff.patch import PatchedFile, PatchSet

from z3trace.errors import InputError
from z3trace.kernels import manyfiles
from z3trace.kernels.hunks import Hunk
from z3trace.printable import visible

#: For who made a diff of another kind.
MADE_BY = "a unified patch is made by 'git diff' or 'diff -u'"
_MOST_LINES = 200_000
_MOST_CHANGES = 1000  # hunks
_LONGEST_NAME = 4096
_FILE_MODES = {None, "100644", "100755"}
_MODES = {"120000": "a symbolic link", "160000": "a submodule"}
_NOT_LINES = re.compile(r"(rename|copy) (from|to) |(dis)?similarity index |GIT binary patch")
_DOS_HEADER = re.compile(rb"^\+\+\+ [^\n]*\r\n", re.MULTILINE)
_BINARY = re.compile(rb"^Binary files? [^\n]*\n?", re.MULTILINE)
_HEADER_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,100}\.h")
_NOWHERE = "/dev/null"
#: What git and quilt put in front of names.
_PREFIXES = {*"abciow12"}
#: The directories of a kernel tree: a name that begins with one has nothing in front.
_TREE = {
    *("arch", "block", "certs", "crypto", "Documentation", "drivers", "fs", "include", "init"),
    *("io_uring", "ipc", "kernel", "lib", "LICENSES", "mm", "net", "rust", "samples", "scripts"),
    *("security", "sound", "tools", "usr", "virt"),
}


@dataclass(frozen=True)
class Change:
    """Lines of one file that change: its path in the kernel's tree, and whether it is new."""

    path: str
    is_new: bool
    hunks: tuple[Hunk, ...]


@dataclass(frozen=True)
class Lines:
    """What of a patch is for a module, in order, and what is not, in words."""

    changes: tuple[Change, ...]
    left_out: tuple[str, ...]


def lines_for(name: str, data: bytes, source: str, *, many: bool = False) -> Lines:
    """What of the patch *data*, called *name*, changes *source*, such as ``mm/z3fold.c``, or
    a header in its directory, or of *many* files of a module any of them; InputError if it has
    more in mind for the source than lines, or cannot be read.

    Neither may change: then a patch of a series is for other files.
    """
    files = _files(name, _plain(name, data, source))
    paths = [_path(file) for file in files]
    lead = _lead(paths, source)
    changes, left_out = [], []
    for file, bare in zip(files, paths, strict=True):
        path = lead + bare
        if source in (path, lead + _bare(file.target_file, file.source_file)):
            fault = _fault(file)
            if fault:
                raise InputError(f"{name} {fault} {source}", "only its lines may change")
            changes.append(Change(source, is_new=False, hunks=_hunks(file)))
        elif is_of(path, source, many=many) and not _fault_of_header(file):
            changes.append(Change(path, file.source_file == _NOWHERE, _hunks(file)))
        else:
            own = "; the kernel's own is used" if path.startswith(("include/", "arch/")) else ""
            left_out.append(visible(path[:200]) + own)
    if sum(len(change.hunks) for change in changes) > _MOST_CHANGES:
        raise InputError(f"{name} has more than {_MOST_CHANGES} hunks")
    return Lines(tuple(changes), tuple(dict.fromkeys(left_out)))


def files_of(name: str, data: bytes) -> list[str]:
    """The files of a kernel's tree that the patch *data*, called *name*, changes, in order;
    InputError if it is no patch."""
    return list(dict.fromkeys(map(_path, _files(name, _plain(name, data, "\0")))))


def _plain(name: str, data: bytes, source: str) -> bytes:
    """*data* without what would be read by regular expressions that take more than linear
    time: no line of a hunk begins like that, nor does a good header."""
    if _DOS_HEADER.search(data):
        data = data.replace(b"\r\n", b"\n")
    if data.count(b"\n") > _MOST_LINES:
        raise InputError(f"{name} has more than {_MOST_LINES} lines: not a patch")
    for line in data.split(b"\n"):
        if line.startswith(b"diff --git ") and b"://" in line:
            raise InputError(f"{name} names a file outside of the source: an address")
        if line.startswith(b"Binary file") and source.encode() in line:
            raise InputError(f"{name} replaces {source} as a whole")
    return _BINARY.sub(b"", data)


def _files(name: str, data: bytes) -> list[PatchedFile]:
    try:
        # Bytes are letters here: what encoding the source has is its own affair.
        files = list(PatchSet.from_string(data.decode("latin-1")))
    except (UnidiffParseError, ValueError) as error:
        text = str(error).encode("ascii", "replace").decode().strip()[:200]
        raise InputError(
            f"{name} is no unified patch: {text}", "did a mail program break its lines?"
        ) from error
    if not files:
        raise InputError(f"{name} is no unified patch: it changes no line of any file", MADE_BY)
    for names in ((file.source_file, file.target_file) for file in files):
        if any(len(one) > _LONGEST_NAME for one in names):
            raise InputError(f"{name} is no unified patch: it names a file without end")
        if any(one != _NOWHERE and _is_outside(one) for one in names):
            raise InputError(
                f"{name} names a file outside of the source: an absolute or upward path"
            )
    return files


def _is_outside(name: str) -> bool:
    return name.startswith("/") or ".." in name.split("/")


def _path(file: PatchedFile) -> str:
    """The name of what is made or changed, without what stands before a kernel tree's names."""
    old, new = file.source_file, file.target_file
    return _bare(old, new) if new != _NOWHERE else _bare(new, old)


def _bare(other: str, name: str) -> str:
    name, other = name.removeprefix("./"), other.removeprefix("./")
    first, slash, rest = name.partition("/")
    if not slash:
        return name
    differs = other != _NOWHERE and other.partition("/")[0] != first
    return rest if differs or first in _PREFIXES or first not in _TREE else name


def _lead(paths: Sequence[str], source: str) -> str:
    """What ``--relative`` left out in front of the names; empty if they are whole."""
    if source in paths:
        return ""
    ends = [path for path in paths if source.endswith(f"/{path}")]
    return source.removesuffix(ends[0]) if ends else ""


def is_beside(path: str, source: str) -> bool:
    """Whether *path* is a header in the directory of *source*."""
    directory, _, name = path.rpartition("/")
    return directory == source.rpartition("/")[0] and bool(_HEADER_FILE.fullmatch(name))


def is_of(path: str, source: str, *, many: bool) -> bool:
    """Whether *path* is a header beside *source*, or of *many* files of a module one."""
    inside = many and manyfiles.belongs(path, source.rpartition("/")[0])
    return inside or is_beside(path, source)


def _fault(file: PatchedFile) -> str:
    """What a part of a patch does besides changing lines of a file; empty if nothing."""
    if file.is_binary_file or any(_NOT_LINES.match(line) for line in _header(file)):
        return "renames, copies or replaces as a whole"
    made = _NOWHERE in (file.source_file, file.target_file)
    fault = _mode_fault(file) or ("makes or removes" if made else "")
    return fault or ("" if file else "changes no line of")


def _fault_of_header(file: PatchedFile) -> bool:
    """Whether a header cannot be taken: it may be new, but must not be anything else."""
    if file.source_file == _NOWHERE:
        return file.target_mode not in _FILE_MODES or file.is_binary_file or not file
    return bool(_fault(file))


def _header(file: PatchedFile) -> list[str]:
    """The lines of git's header; without one unidiff keeps a mail's words in their place."""
    lines = list(file.patch_info or ())
    return lines if lines and lines[0].startswith("diff --git ") else []


def _mode_fault(file: PatchedFile) -> str:
    for mode in {file.source_mode, file.target_mode} - _FILE_MODES:
        kind = _MODES.get(str(mode), f"a file of mode {visible(str(mode)[:20])}")
        return f"makes {kind} of"
    if file.source_mode and file.target_mode and file.source_mode != file.target_mode:
        return "changes the mode of"
    return ""


def _hunks(file: PatchedFile) -> tuple[Hunk, ...]:
    return tuple(_hunk(hunk) for hunk in file)


def _hunk(read: ReadHunk) -> Hunk:
    """A hunk as it was read, without the blank lines after it, which unidiff counts in."""
    old: list[bytes] = []
    new: list[bytes] = []
    kinds: list[str] = []
    for line in read:
        value = line.value.encode("latin-1")
        sides = {" ": (old, new), "-": (old,), "+": (new,)}.get(line.line_type, ())
        for side in sides:
            side.append(value if value.endswith(b"\n") else value + b"\n")
        if sides:
            kinds.append(line.line_type)
        elif line.line_type == "\\" and kinds:
            # What stands before it has no line end.
            for side in {" ": (old, new), "-": (old,), "+": (new,)}[kinds[-1]]:
                side[-1] = side[-1].removesuffix(b"\n")
    changed = [number for number, kind in enumerate(kinds) if kind != " "]
    before = changed[0] if changed else len(kinds)
    after = len(kinds) - changed[-1] - 1 if changed else 0
    where = (read.source_start, read.section_header)
    return Hunk(*where, tuple(old), tuple(new), before, after, "".join(kinds))
