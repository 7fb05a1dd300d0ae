"""A module as the running kernel has it: where it is loaded, and which file it is of."""

from pathlib import Path

from z3trace import tools
from z3trace.code.module import ModuleFile, build_id_of
from z3trace.errors import CannotTraceError, Z3traceError

_MODULES = Path("/sys/module")


class LoadedModule:
    """The addresses of a module that is loaded now."""

    def __init__(self, name: str) -> None:
        self.directory = _MODULES / name
        if not self.directory.exists():
            raise CannotTraceError(
                f"module {name} is not loaded",
                f"'modprobe {name}' loads it, or name a file with --module",
            )

    def address(self, section: str, offset: int) -> int:
        """Address of a place in a section; CannotTraceError if the kernel hides it."""
        path = self.directory / "sections" / section
        try:
            base = int(path.read_text(), 16)
        except OSError as error:
            raise CannotTraceError(
                f"cannot read {path}: {error.strerror}", "run as root"
            ) from error
        if not base:
            raise CannotTraceError(f"{path} hides the address", "run as root")
        return base + offset

    def build_id(self) -> str:
        try:
            return build_id_of((self.directory / "notes/.note.gnu.build-id").read_bytes())
        except OSError:
            return ""

    def source_version(self) -> str:
        try:
            return (self.directory / "srcversion").read_text().strip()
        except OSError:
            return ""


def packaged_file(name: str) -> Path:
    """The file that modprobe would load for *name* in the running kernel."""
    try:
        return Path(tools.run(["modinfo", "-n", name]).strip())
    except Z3traceError as error:
        raise CannotTraceError(f"the running kernel has no module file for {name}") from error


def check_same(file: ModuleFile, loaded: LoadedModule) -> None:
    """CannotTraceError if *file* is not what is loaded, or does not tell where that does."""
    there = loaded.build_id()
    if there and there != file.build_id:
        raise CannotTraceError(
            f"{file.path} is not the {file.name} that is loaded",
            "name the right file with --module, or load this one",
        )
