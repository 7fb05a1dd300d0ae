"""A build tree taken into the cache, as the kernels of packages lie there."""

from pathlib import Path

import kerneltree
import pytest

from z3trace.errors import InputError, UsageError
from z3trace.kernels import kconfig, maketree, own
from z3trace.kernels.layout import Kernel
from z3trace.kernels.own import BuildTree


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def _silent(_: str) -> None:
    pass


@pytest.fixture
def objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BuildTree:
    monkeypatch.setattr(maketree, "must_have_tools", lambda: None)
    tree = maketree.tree_of(kerneltree.make(tmp_path / "linux"))
    maketree.build(tree, _silent)
    return BuildTree(tree.objects, tree.source, {})


def test_a_kernel_lies_as_a_packaged_one_does(objects: BuildTree, cache: Path) -> None:
    kernel = own.take(objects, _silent)
    assert kernel.release == kerneltree.RELEASE
    assert kernel.directory == cache / "own" / f"{kernel.release}-{kernel.own}"
    assert kernel.called == f"{kernel.release}-{kernel.own}"
    assert kernel.packaged_image.name == f"vmlinuz-{kernel.release}"
    assert kernel.image == kernel.unpacked_image
    assert kconfig.of(kernel)["CONFIG_PVH"] == "y"
    assert kernel.source("mm/zsmalloc.c").read_text() == kerneltree.SOURCE
    assert kernel.module("x").read_bytes().startswith(b"\x7fELF")
    assert (kernel.modules / "modules.dep").exists()
    assert str((kernel.modules / "build").readlink()) == f"/usr/src/{kernel.headers.name}"


def test_headers_are_those_of_the_source_and_what_was_made_of_it(objects: BuildTree) -> None:
    headers = own.take(objects, _silent).headers
    there = {str(path.relative_to(headers)) for path in headers.rglob("*") if path.is_file()}
    assert {
        *("Makefile", ".config", "Module.symvers", "scripts/tool.c", "scripts/Kbuild.include"),
        *("include/linux/zsmalloc.h", "include/generated/utsrelease.h", "arch/x86/Makefile"),
    } <= there
    # The build had made it a link out of the tree.
    assert "include/generated/linked.h" not in there


def test_debug_information_is_left_out(objects: BuildTree) -> None:
    kernel = own.take(objects, _silent)
    assert b".debug_info" in (objects.objects / "vmlinux").read_bytes()
    assert b".debug_info" not in kernel.unpacked_image.read_bytes()


def test_what_was_taken_stays_when_the_tree_is_built_again(objects: BuildTree) -> None:
    first = own.take(objects, _silent)
    image = first.packaged_image.read_bytes()
    (objects.objects / "arch/x86/boot/bzImage").write_bytes(b"another")
    second = own.take(objects, _silent)
    assert second.own != first.own
    assert second.release == first.release
    assert second.built != first.built
    assert first.packaged_image.read_bytes() == image


def test_the_same_build_is_taken_once(objects: BuildTree) -> None:
    said: list[str] = []
    assert own.take(objects, said.append) == own.take(objects, said.append)
    assert len(said) == 1


def test_a_patched_source_is_that_which_was_compiled(objects: BuildTree, tmp_path: Path) -> None:
    copy = tmp_path / "patched.c"
    copy.write_text("/* patched */\n")
    made = BuildTree(objects.objects, objects.source, {"mm/zsmalloc.c": copy})
    assert own.take(made, _silent).source("mm/zsmalloc.c").read_text() == "/* patched */\n"


def test_without_its_note_qemu_boots_the_packed_kernel(objects: BuildTree) -> None:
    config = objects.objects / ".config"
    config.write_text(config.read_text().replace("CONFIG_PVH=y\n", ""))
    kernel = own.take(objects, _silent)
    assert kernel.image == kernel.packaged_image


def test_a_tree_is_found_by_its_image_or_its_source(objects: BuildTree) -> None:
    image = objects.objects / "arch/x86/boot/bzImage"
    for path in (objects.objects, image, objects.source):
        assert own.tree_of(path).objects == objects.objects


def test_a_tree_built_in_itself_is_its_own_source(tmp_path: Path) -> None:
    home = kerneltree.built(tmp_path / "in-tree")
    found = own.tree_of(home / "arch/x86/boot/bzImage")
    assert (found.objects, found.source) == (home, home)


def test_what_was_not_built_is_told(tmp_path: Path) -> None:
    image = tmp_path / "bzImage"
    image.write_bytes(b"")
    for path in (tmp_path, image):
        with pytest.raises(UsageError, match="is no built kernel") as raised:
            own.tree_of(path)
        assert "kernel make" in raised.value.hint


@pytest.mark.parametrize(
    "release", ["", "../../etc", "6.1\nx", "six", "6.1/../x", "6." + "1" * 200]
)
def test_a_release_that_is_none_is_refused(tmp_path: Path, release: str) -> None:
    home = kerneltree.built(tmp_path / "in-tree")
    (home / "include/config/kernel.release").write_text(release)
    with pytest.raises(InputError, match="has an odd release"):
        own.take(own.tree_of(home), _silent)


@pytest.mark.parametrize("name", ["include/config/kernel.release", ".config", "vmlinux"])
def test_a_link_out_of_the_tree_is_not_followed(tmp_path: Path, name: str) -> None:
    home = kerneltree.built(tmp_path / "in-tree")
    secret = tmp_path / "secret"
    secret.write_text("6.1.9\n")
    (home / name).unlink()
    (home / name).symlink_to(secret)
    with pytest.raises(InputError, match=f"not a whole build: it has no {name}"):
        own.take(own.tree_of(home), _silent)


def test_a_module_that_is_listed_and_lies_elsewhere_is_refused(tmp_path: Path) -> None:
    home = kerneltree.built(tmp_path / "in-tree")
    (home / "modules.order").write_text("../../secret.o\n")
    (tmp_path / "secret.ko").write_text("")
    with pytest.raises(InputError, match="not a whole build"):
        own.take(own.tree_of(home), _silent)


def test_packaged_kernels_are_called_by_their_release() -> None:
    kernel = Kernel(Path("/k"), "6.1.0-9-amd64", "6.1.9-1")
    assert kernel.called == "6.1.0-9-amd64"
    assert kernel.built.name == "6.1.0-9-amd64"


def test_a_builds_link_to_its_source_is_not_followed(objects: BuildTree, tmp_path: Path) -> None:
    link = objects.objects / "source"
    link.unlink(missing_ok=True)
    (tmp_path / "home").mkdir()
    link.symlink_to(tmp_path / "home")
    assert own.tree_of(tmp_path / "linux").source == (tmp_path / "linux").resolve()
