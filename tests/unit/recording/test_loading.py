"""How a module gets into the kernel, on a /sys/module that the test makes."""

import gzip
import threading
import time
from pathlib import Path

import fakes
import msgspec
import pytest

from z3trace.errors import CannotTraceError
from z3trace.recording import loading
from z3trace.recording.loading import BuiltIn, TargetModule


class Kernel:
    """Loads and removes modules by making and removing their directories."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log: list[str] = []

    def insert(self, path: Path, *_: str) -> None:
        self.log.append(f"insert {path.name}")
        (self.root / path.stem).mkdir()

    def modprobe(self, command: list[str], *, doing: str = "") -> None:
        self.log.append(" ".join(command))
        (self.root / command[1]).mkdir()

    def remove(self, name: str) -> None:
        if (self.root / name).exists():
            self.log.append(f"remove {name}")
            (self.root / name).rmdir()


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel(tmp_path)
    monkeypatch.setattr(loading, "_MODULES", tmp_path)
    monkeypatch.setattr(loading.modules, "insert", made.insert)
    monkeypatch.setattr(loading.modules, "remove", made.remove)
    monkeypatch.setattr(loading.tools, "run", made.modprobe)
    return made


def test_a_module_that_is_not_there_is_an_error_without_load(kernel: Kernel) -> None:
    with pytest.raises(CannotTraceError, match="module mine is not loaded"):
        TargetModule("mine", None, load=False, reload=False).before_run()
    assert kernel.log == []


def test_what_was_loaded_is_removed_in_the_end_and_nothing_else(kernel: Kernel) -> None:
    module = TargetModule("mine", None, load=True, reload=False)
    for _ in range(2):
        module.before_run()
    module.after_all()
    assert kernel.log == ["modprobe mine", "remove mine"]
    (kernel.root / "mine").mkdir()  # the user's
    kernel.log.clear()
    module = TargetModule("mine", None, load=True, reload=False)
    module.before_run()
    module.after_all()
    assert kernel.log == []


def test_a_file_is_inserted_anew_for_every_run(kernel: Kernel) -> None:
    file = kernel.root / "mine.ko"
    file.write_bytes(b"a module")
    module = TargetModule("mine", file, load=False, reload=True)
    module.before_run()
    module.before_run()
    assert kernel.log == ["insert mine.ko", "remove mine", "insert mine.ko"]


def test_a_packed_file_is_inserted_unpacked(kernel: Kernel) -> None:
    file = kernel.root / "mine.ko.gz"
    file.write_bytes(gzip.compress(b"a module"))
    module = TargetModule("mine", file, load=True, reload=False)
    module.before_run()
    assert kernel.log == ["insert mine.ko"]


def test_waiting_ends_when_the_module_is_live(kernel: Kernel) -> None:
    state = kernel.root / "mine" / "initstate"

    def load() -> None:
        time.sleep(0.05)
        state.parent.mkdir()
        state.write_text("coming\n")
        time.sleep(0.05)
        state.write_text("live\n")

    thread = threading.Thread(target=load)
    thread.start()
    begun = time.monotonic()
    loading.wait_for("mine", 30)
    thread.join()
    assert 0.1 <= time.monotonic() - begun < 10
    assert state.read_text() == "live\n"


def test_waiting_has_an_end(kernel: Kernel) -> None:
    with pytest.raises(CannotTraceError, match=r"mine was not loaded within 0\.02 s"):
        loading.wait_for("mine", 0.02)


def test_a_built_in_target_needs_no_loading(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading.plan, "is_builtin", lambda name: name == "mine")
    with pytest.raises(CannotTraceError, match="does not say which functions"):
        loading.target_module(fakes.TARGET, None, load=True, reload=True)
    named = msgspec.structs.replace(fakes.TARGET, builtin=["my_*"])
    module = loading.target_module(named, None, load=True, reload=True)
    assert isinstance(module, BuiltIn)
    module.before_run()
    module.after_all()
    assert kernel.log == []
    # A file given is a module, whatever is built in.
    with_file = loading.target_module(named, Path("mine.ko"), load=True, reload=False)
    assert isinstance(with_file, TargetModule)
