"""A loaded module as /sys/module shows it, made up."""

from pathlib import Path

import pytest
from compiling import compiled

from z3trace.code import loaded
from z3trace.code.module import ModuleFile
from z3trace.errors import CannotTraceError

_NOTE = bytes.fromhex("0400000004000000 03000000 474e5500 deadbeef".replace(" ", ""))


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(loaded, "_MODULES", tmp_path)
    (tmp_path / "mine/sections").mkdir(parents=True)
    (tmp_path / "mine/notes").mkdir()
    (tmp_path / "mine/sections/.text").write_text("0xffffffffc0401000\n")
    (tmp_path / "mine/notes/.note.gnu.build-id").write_bytes(_NOTE)
    (tmp_path / "mine/srcversion").write_text("ABCDEF0123456789\n")
    return tmp_path / "mine"


@pytest.mark.usefixtures("directory")
def test_a_place_has_an_address() -> None:
    module = loaded.LoadedModule("mine")
    assert module.address(".text", 0x20) == 0xFFFFFFFFC0401020
    assert module.build_id() == "deadbeef"
    assert module.source_version() == "ABCDEF0123456789"


def test_hidden_addresses_are_said(directory: Path) -> None:
    (directory / "sections/.text").write_text("0x0\n")
    with pytest.raises(CannotTraceError, match="hides the address"):
        loaded.LoadedModule("mine").address(".text", 0)
    with pytest.raises(CannotTraceError, match="cannot read"):
        loaded.LoadedModule("mine").address(".text.unlikely", 0)


@pytest.mark.usefixtures("directory")
def test_a_module_that_is_not_loaded_is_said() -> None:
    with pytest.raises(CannotTraceError, match="module other is not loaded"):
        loaded.LoadedModule("other")


def _built(directory: Path, digest: str) -> ModuleFile:
    source = f"""
    asm(".section .note.gnu.build-id, \\"a\\"\\n"
        ".long 4, 4, 3\\n.asciz \\"GNU\\"\\n.byte {digest}\\n");
    """
    return ModuleFile(compiled(source, directory, name="mine.ko"))


@pytest.mark.usefixtures("directory")
def test_a_file_that_is_not_the_loaded_one_is_refused(tmp_path: Path) -> None:
    module = loaded.LoadedModule("mine")
    loaded.check_same(_built(tmp_path, "0xde, 0xad, 0xbe, 0xef"), module)
    with pytest.raises(CannotTraceError, match="is not the mine that is loaded"):
        loaded.check_same(_built(tmp_path, "0xde, 0xad, 0xbe, 0xee"), module)


@pytest.mark.usefixtures("directory")
def test_a_file_without_a_build_id_is_not_the_loaded_one(tmp_path: Path) -> None:
    file = ModuleFile(compiled("", tmp_path, name="mine.ko"))
    assert file.build_id == ""
    with pytest.raises(CannotTraceError, match="is not the mine that is loaded"):
        loaded.check_same(file, loaded.LoadedModule("mine"))


def test_without_a_build_id_nothing_can_be_held_against(directory: Path, tmp_path: Path) -> None:
    (directory / "notes/.note.gnu.build-id").unlink()
    module = loaded.LoadedModule("mine")
    assert module.build_id() == ""
    loaded.check_same(_built(tmp_path, "1, 2, 3, 4"), module)
