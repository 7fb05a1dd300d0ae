"""Source lines of addresses in a built module, as the compiler's debug information has
them."""

import re
from pathlib import Path

from z3trace.errors import Z3traceError
from z3trace.kernels.box import Box

_FRAME = re.compile(r"^(\S.{0,300})\n(\S.{0,4000}):(\d+|\?)", re.M)


def of(
    module: Path, source: str, function: str, offset: int, *, boxed: bool = True
) -> dict[str, object]:
    """``file``, ``line`` and ``inlined`` (functions, the innermost last) of the call before
    an address, in the innermost function that is of the file *source*; {} if that is not
    known.  It is read in the box: a stranger's source may have made it."""
    from z3trace.code.module import ModuleFile

    file = ModuleFile(module)
    if function not in file.functions:
        return {}
    section, begin = file.functions[function]
    address = hex(begin + max(offset - 1, 0))
    command: list[str | Path] = ["addr2line", "-e", module, "-j", section, "-f", "-i", address]
    try:
        said = Box(module.parent, boxed=boxed).run(command, doing="addr2line", timeout=60)
    except Z3traceError:
        return {}
    frames = [(name, Path(path).name, line) for name, path, line in _FRAME.findall(said)]
    own = [each for each in frames if each[1] == Path(source).name and each[2] != "?"]
    if not own:
        return {}
    names = [name for name, _, _ in reversed(frames[frames.index(own[0]) :])]
    return {"file": own[0][1], "line": int(own[0][2]), "inlined": names[1:]}
