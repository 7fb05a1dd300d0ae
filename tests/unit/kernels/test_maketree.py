"""A whole kernel built, of a tree that the test makes up: real make, in the real box."""

import os
from pathlib import Path

import kerneltree
import pytest

from z3trace.errors import CannotTraceError, InputError, UsageError
from z3trace.kernels import fragment, maketree
from z3trace.kernels.maketree import Tree

PATCHED = kerneltree.SOURCE.replace("return 1", "return 2").encode()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(maketree, "must_have_tools", lambda: None)
    made = kerneltree.make(tmp_path / "linux")
    for path in made.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    return maketree.tree_of(made)


def _build(tree: Tree, **more: object) -> tuple[list[str], list[str]]:
    """(what was done, what was said)."""
    said: list[str] = []
    built = maketree.build(tree, said.append, **more)  # type: ignore[arg-type]
    return [name for name, _ in built.steps], said


def _linked(tree: Tree) -> bool:
    return "LINK" in (tree.home / "build.log").read_text()


def test_a_tree_is_configured_and_built_outside_of_itself(tree: Tree) -> None:
    before = sorted(tree.source.rglob("*"))
    assert _build(tree)[0] == ["config", "build"]
    assert (tree.objects / ".config").read_text() == fragment.text()
    assert (tree.objects / "vmlinux").read_bytes().startswith(b"\x7fELF")
    assert sorted(tree.source.rglob("*")) == before


def test_what_has_not_changed_is_not_built_again(tree: Tree) -> None:
    _build(tree)
    assert _linked(tree)
    assert _build(tree)[0] == ["incremental build"]
    assert not _linked(tree)


def test_a_patched_file_is_built_and_so_is_its_original_afterwards(tree: Tree) -> None:
    """make goes by times, and the original is older than everything."""
    _build(tree)
    stock = (tree.objects / "vmlinux").read_bytes()
    _build(tree, patched={"mm/zsmalloc.c": PATCHED})
    assert _linked(tree)
    patched = (tree.objects / "vmlinux").read_bytes()
    assert patched != stock
    _build(tree, patched={"mm/zsmalloc.c": PATCHED})
    assert not _linked(tree)
    _build(tree)
    assert (tree.objects / "vmlinux").read_bytes() == stock
    assert (tree.source / "mm/zsmalloc.c").read_text() == kerneltree.SOURCE


def test_a_configuration_of_ones_own_is_taken(tree: Tree, tmp_path: Path) -> None:
    config = tmp_path / "my.config"
    config.write_text(fragment.text() + "CONFIG_MINE=y\n")
    _build(tree, config=config)
    assert "CONFIG_MINE=y" in (tree.objects / ".config").read_text()
    assert _build(tree, config=config)[0] == ["incremental build"]
    assert _build(tree)[0] == ["config", "incremental build"]


def test_a_configuration_that_no_guest_boots_is_refused_before_the_build(
    tree: Tree, tmp_path: Path
) -> None:
    config = tmp_path / "my.config"
    config.write_text(fragment.text().replace("CONFIG_9P_FS=y\n", ""))
    with pytest.raises(CannotTraceError, match="cannot be a guest: CONFIG_9P_FS is not set"):
        _build(tree, config=config)
    assert not (tree.objects / "vmlinux").exists()


def test_what_is_only_worse_is_said(tree: Tree, tmp_path: Path) -> None:
    config = tmp_path / "my.config"
    config.write_text(fragment.text().replace("CONFIG_PROC_KCORE=y\n", ""))
    _, said = _build(tree, config=config)
    assert "CONFIG_PROC_KCORE is not set: the text of the kernel, as it is now" in said


def test_what_a_build_may_not_do_it_cannot_do(tree: Tree, tmp_path: Path) -> None:
    """A stranger's Makefile: the tree, the cache and the home stay as they are."""
    makefile = tree.source / "Makefile"
    canary = tmp_path / "canary"
    for place in (canary, tree.source / "new", tree.home / "over/new", tree.home / "new"):
        text = makefile.read_text()
        makefile.write_text(text.replace("\t@echo LINK\n", f"\t@echo LINK\n\t-touch {place}\n"))
    _build(tree)
    assert _linked(tree)
    assert not canary.exists()
    assert not (tree.source / "new").exists()
    assert {path.name for path in tree.home.iterdir()} <= {"obj", "build.log", "configured"}


@pytest.mark.parametrize("missing", ["Makefile", "Kconfig", "arch/x86/Makefile"])
def test_what_is_no_kernel_is_told(tmp_path: Path, missing: str) -> None:
    made = kerneltree.make(tmp_path / "linux")
    (made / missing).unlink()
    with pytest.raises(InputError, match=f"is no kernel's source: it has no {missing}"):
        maketree.tree_of(made)


def test_a_tree_that_was_built_in_itself_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="built in its own directory") as raised:
        maketree.tree_of(kerneltree.built(tmp_path / "linux"))
    assert "--kernel takes it as it is" in raised.value.hint


def test_all_that_is_missing_for_a_build_is_named_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = {"no-such-flex": "flex", "no-such-bison": "bison", "make": "make"}
    monkeypatch.setattr(maketree, "_PROGRAMS", programs)
    monkeypatch.setattr(maketree, "_INCLUDED", (tmp_path,))
    with pytest.raises(CannotTraceError, match="flex, bison, libelf-dev are not installed") as it:
        maketree.must_have_tools()
    assert it.value.hint.endswith("apt-get install --no-install-recommends flex bison libelf-dev")
