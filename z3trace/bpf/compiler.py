"""Compile the BPF programs with BCC: the only file that imports it."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from z3trace.bpf import libbpf
from z3trace.bpf.compiled import Compiled, MapShape
from z3trace.bpf.patching import with_maps
from z3trace.errors import CannotTraceError

#: Warnings about the kernel's own headers.
_QUIET = ("-Wno-duplicate-decl-specifier", "-Wno-ignored-attributes")


def _import_bcc() -> Any:
    try:
        import bcc
    except ImportError as error:
        system = Path("/usr/bin/python3")
        there = Path("/usr/lib/python3/dist-packages/bcc").exists()
        raise CannotTraceError(
            f"{sys.executable} has no bcc",
            (f"{system} has it: " if there else "install python3-bpfcc, then ")
            + f"use {system}, or a virtual environment that it made with "
            "--system-site-packages; PyPI's 'bcc' is another package",
        ) from error
    return bcc


def compiled(
    key: str, sources: Path, flags: Sequence[str], programs: Iterable[str], maps: Iterable[str]
) -> Compiled:
    """The named *programs* and *maps* of z3trace.bpf.c in *sources*.

    Whatever BCC raises if it cannot: it needs the headers of the running kernel, and root.
    """
    bpf = _import_bcc().BPF(
        src_file=str(sources / "z3trace.bpf.c").encode(),
        cflags=[f"-I{sources}", *flags, *_QUIET],
    )
    shapes, numbers = [], {}
    for number, name in enumerate(maps):
        fd = bpf[name.encode()].map_fd
        numbers[fd] = number
        value_size, entries = libbpf.array_shape(fd)
        shapes.append(MapShape(name, value_size, entries))
    code = {name: with_maps(bpf.dump_func(f"z3t_{name}".encode()), numbers) for name in programs}
    bpf.cleanup()
    return Compiled(key, shapes, code)
