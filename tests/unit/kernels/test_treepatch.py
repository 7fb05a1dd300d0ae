"""Patches for files anywhere in a kernel's tree."""

from pathlib import Path

import kerneltree
import pytest

from z3trace.errors import InputError
from z3trace.kernels import patch, treepatch

ONE = kerneltree.PATCH
TWO = ONE.replace("return 2", "return 3").replace("return 1", "return 2")
HEADER = """\
--- a/include/linux/zsmalloc.h
+++ b/include/linux/zsmalloc.h
@@ -1 +1,2 @@
 int zs_malloc(void);
+int zs_more(void);
"""
NEW = "--- /dev/null\n+++ b/mm/new.c\n@@ -0,0 +1 @@\n+int new;\n"


def _patched(tmp_path: Path, *texts: str, name: str = "{}.patch") -> dict[str, bytes]:
    tree = kerneltree.make(tmp_path / "linux")
    files = []
    for number, text in enumerate(texts):
        files.append(tmp_path / name.format(number))
        files[-1].write_text(text)
    return treepatch.patched(tree, patch.read_all(files))


def test_every_file_that_changes_is_handed_over_and_the_tree_stays(tmp_path: Path) -> None:
    found = _patched(tmp_path, ONE + HEADER)
    assert found.keys() == {"mm/zsmalloc.c", "include/linux/zsmalloc.h"}
    assert b"return 2" in found["mm/zsmalloc.c"]
    assert b"zs_more" in found["include/linux/zsmalloc.h"]
    assert (tmp_path / "linux/mm/zsmalloc.c").read_text() == kerneltree.SOURCE


def test_patches_are_applied_in_order(tmp_path: Path) -> None:
    assert b"return 3" in _patched(tmp_path, ONE, TWO)["mm/zsmalloc.c"]


def test_no_patch_changes_nothing(tmp_path: Path) -> None:
    assert _patched(tmp_path) == {}


def test_one_that_does_not_fit_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not apply"):
        _patched(tmp_path, TWO)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"change mm/new\.c, which .* does not have"):
        _patched(tmp_path, NEW)


def test_rules_that_name_no_file_are_told(tmp_path: Path) -> None:
    rules = "@@ @@\n-return 1;\n+return 2;\n"
    with pytest.raises(InputError, match="does not say for which files it is"):
        _patched(tmp_path, rules, name="{}.cocci")


def test_a_link_out_of_the_tree_is_not_patched(tmp_path: Path) -> None:
    tree = kerneltree.make(tmp_path / "linux")
    outside = tmp_path / "outside.c"
    outside.write_text(kerneltree.SOURCE)
    (tree / "mm/zsmalloc.c").unlink()
    (tree / "mm/zsmalloc.c").symlink_to(outside)
    (tmp_path / "p.patch").write_text(ONE)
    with pytest.raises(InputError, match="does not have"):
        treepatch.patched(tree, patch.read_all([tmp_path / "p.patch"]))
