"""Kernel modules: load one, unload one."""

from pathlib import Path

from z3trace import tools
from z3trace.code import modinfo
from z3trace.code.elf import ObjectFile
from z3trace.code.packed import read


def insert(path: Path, *parameters: str) -> None:
    """Load a module file; what it needs from the running kernel is loaded first."""
    for needed in modinfo.needs(modinfo.of(ObjectFile(read(path), path.name))):
        if not (Path("/sys/module") / needed).exists():
            tools.run(["modprobe", needed], doing=f"loading {needed}, which {path.name} needs")
    tools.run(["insmod", path, *parameters], doing=f"loading {path.name}")


def remove(name: str) -> None:
    """Unload a module if it is loaded."""
    if (Path("/sys/module") / name).exists():
        tools.run(["rmmod", name], doing=f"unloading {name}")
