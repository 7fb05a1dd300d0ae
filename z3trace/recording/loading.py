"""How a target's module gets into the kernel for a run, and out again."""

import time
from contextlib import suppress
from pathlib import Path

from z3trace import tools
from z3trace.code import packed
from z3trace.errors import CannotTraceError
from z3trace.target import plan
from z3trace.target.definition import Target
from z3trace.workloads import modules

_MODULES = Path("/sys/module")


class TargetModule:
    """How the target's module gets into the kernel for a run."""

    def __init__(self, name: str, path: Path | None, *, load: bool, reload: bool) -> None:
        self._name, self._path = name, path
        self._load, self._reload = load or reload, reload
        self._loaded = False

    def loaded(self) -> bool:
        return (_MODULES / self._name).exists()

    def before_run(self) -> None:
        if self._reload:
            modules.remove(self._name)
        if self._load and not self.loaded():
            self._loaded = True
            if self._path:
                with packed.plain(self._path) as file:
                    modules.insert(file)
            else:
                tools.run(["modprobe", self._name], doing=f"modprobe {self._name}")
        if not self.loaded():
            raise CannotTraceError(
                f"module {self._name} is not loaded", "give --load, or load it before"
            )

    def after_all(self) -> None:
        if self._loaded:
            modules.remove(self._name)


def wait_for(name: str, patience: float) -> None:
    """Wait until a module is loaded; CannotTraceError if that takes longer."""
    until = time.monotonic() + patience
    state = _MODULES / name / "initstate"
    while True:
        with suppress(OSError):
            if state.read_text().strip() == "live":
                return
        if time.monotonic() > until:
            raise CannotTraceError(f"module {name} was not loaded within {patience:g} s")
        time.sleep(0.01)


class BuiltIn:
    """A target that is part of the kernel: nothing to load."""

    def before_run(self) -> None:
        return

    def after_all(self) -> None:
        return


def target_module(
    definition: Target, path: Path | None, *, load: bool, reload: bool
) -> TargetModule | BuiltIn:
    """How *definition* gets into the kernel; CannotTraceError if it is built in and its
    definition does not say which functions it has."""
    if path is None and plan.is_builtin(definition.module):
        if not definition.builtin:
            raise CannotTraceError(
                f"{definition.module} is built into this kernel, and target "
                f"{definition.name} does not say which functions belong to it",
                'add them to the definition, such as builtin = ["zbud_*"]',
            )
        return BuiltIn()
    return TargetModule(definition.module, path, load=load, reload=reload)
