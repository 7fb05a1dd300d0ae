"""Unified patches: what of one may be applied, which is the lines of one file.

``patch`` understands much more than that: it makes, renames and removes files, makes
links, and runs ``ed``.  So it never gets a stranger's patch, only the lines of the one
file that is built, written anew from what was read here.
"""

import re
from pathlib import PurePosixPath

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchedFile, PatchSet

from z3trace.errors import InputError

_MOST_LINES = 200_000
_FILE_MODES = {None, "100644", "100755"}
_MODES = {"120000": "a symbolic link", "160000": "a submodule"}
_NOT_LINES = re.compile(r"(rename|copy) (from|to) |(dis)?similarity index |GIT binary patch")
_DOS_HEADER = re.compile(rb"^\+\+\+ [^\n]*\r\n", re.MULTILINE)


def only_lines(name: str, data: bytes, source: str) -> bytes:
    """The patch *data*, called *name*, as one of lines of the file *source*, such as
    ``mm/z3fold.c``, and of nothing else; InputError if it has anything else in mind."""
    if _DOS_HEADER.search(data):
        data = data.replace(b"\r\n", b"\n")
    if data.count(b"\n") > _MOST_LINES:
        raise InputError(f"{name} has more than {_MOST_LINES} lines: not a patch")
    _judge_headers(name, data)
    try:
        # Bytes are letters here: what encoding the source has is its own affair.
        files = PatchSet.from_string(data.decode("latin-1"))
    except (UnidiffParseError, ValueError) as error:
        text = str(error).encode("ascii", "replace").decode().strip()[:200]
        raise InputError(f"{name} is no unified patch: {text}") from error
    if not files:
        raise InputError(f"{name} is no unified patch: it changes no line of any file")
    for file in files:
        fault = _fault(file, source)
        if fault:
            raise InputError(f"{name} {fault}", f"only the lines of {source} may change")
    header = f"--- a/{source}\n+++ b/{source}\n"
    hunks = "".join(header + "".join(map(str, file)) for file in files)
    return hunks.encode("latin-1")


def _judge_headers(name: str, data: bytes) -> None:
    """InputError for the lines that unidiff would read with regular expressions that take
    more than linear time: no line of a hunk begins like them, nor does a good header."""
    for line in data.split(b"\n"):
        if line.startswith(b"Binary file"):
            raise InputError(f"{name} renames, copies or replaces a file as a whole")
        if line.startswith(b"diff --git ") and b"://" in line:
            raise InputError(f"{name} names a file outside of the source: an address")


def _fault(file: PatchedFile, source: str) -> str:
    """What a part of a patch has in mind besides lines of *source*; empty if nothing."""
    fault = _mode_fault(file) or _name_fault(file, source)
    if file.is_binary_file or any(_NOT_LINES.match(line) for line in _header(file)):
        return "renames, copies or replaces a file as a whole"
    return fault or ("" if file else f"changes no line of {source}")


def _header(file: PatchedFile) -> list[str]:
    """The lines of git's header; without one unidiff keeps a mail's words in their place."""
    lines = list(file.patch_info or ())
    return lines if lines and lines[0].startswith("diff --git ") else []


def _mode_fault(file: PatchedFile) -> str:
    for mode in {file.source_mode, file.target_mode} - _FILE_MODES:
        return f"makes or changes {_MODES.get(str(mode), f'a file of mode {_shown(str(mode))}')}"
    if file.source_mode and file.target_mode and file.source_mode != file.target_mode:
        return "changes the mode of a file"
    return ""


def _name_fault(file: PatchedFile, source: str) -> str:
    names = (file.source_file, file.target_file)
    if "/dev/null" in names:
        return "makes or removes a file"
    if any(name.startswith("/") or ".." in PurePosixPath(name).parts for name in names):
        return "names a file outside of the source: an absolute or upward path"
    if _below_first(names[1]) != source:
        return f"changes {_shown(_below_first(names[1]))}, or was not made for 'patch -p1'"
    return ""


def _below_first(name: str) -> str:
    """A path without its first directory, as ``patch -p1`` reads it."""
    return name.partition("/")[2]


def _shown(name: str) -> str:
    return repr(name)[1:-1][:100]
