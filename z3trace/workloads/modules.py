"""Kernel modules: load one, unload one."""

from pathlib import Path

from z3trace import tools


def insert(path: Path, *parameters: str) -> None:
    """Load a module file; what it needs from the running kernel is loaded first."""
    tools.run(["insmod", path, *parameters], doing=f"loading {path.name}")


def remove(name: str) -> None:
    """Unload a module if it is loaded."""
    if (Path("/sys/module") / name).exists():
        tools.run(["rmmod", name], doing=f"unloading {name}")
