"""Patches come from strangers: applied or refused, never executed."""

from pathlib import Path

import pytest

from z3trace import paths
from z3trace.errors import InputError, UsageError
from z3trace.kernels import build, fetch

SOURCE = "mm/x.c"
CODE = "int a(void)\n{\n\treturn 1;\n}\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    path = tmp_path / "tree"
    (path / "mm").mkdir(parents=True)
    (path / SOURCE).write_text(CODE)
    return path


def _patch(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_a_semantic_patch_applies(tree: Path, tmp_path: Path) -> None:
    build.apply(_patch(tmp_path, "p.cocci", "@@ @@\n-return 1;\n+return 2;\n"), tree, SOURCE)
    assert "return 2;" in (tree / SOURCE).read_text()


def test_a_mailed_patch_applies(tree: Path, tmp_path: Path) -> None:
    mail = (
        "From: A <a@example.org>\nSubject: [PATCH] x\n\nWhy.\n---\n mm/x.c | 2 +-\n\n"
        "--- a/mm/x.c\n+++ b/mm/x.c\n@@ -1,4 +1,4 @@\n int a(void)\n {\n-\treturn 1;\n+\treturn 3;\n }\n"
    )
    build.apply(_patch(tmp_path, "p.mbox", mail), tree, SOURCE)
    assert "return 3;" in (tree / SOURCE).read_text()


def test_a_patch_that_changes_nothing_is_an_error(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="changes nothing"):
        build.apply(_patch(tmp_path, "p.cocci", "@@ @@\n-return 7;\n+return 8;\n"), tree, SOURCE)


def test_a_patch_that_does_not_apply_shows_the_reject(tree: Path, tmp_path: Path) -> None:
    text = "--- a/mm/x.c\n+++ b/mm/x.c\n@@ -1,3 +1,3 @@\n int b(void)\n {\n-\treturn 9;\n+\treturn 3;\n"
    with pytest.raises(InputError, match="return 9"):
        build.apply(_patch(tmp_path, "p.patch", text), tree, SOURCE)


@pytest.mark.parametrize(
    "text",
    [
        "@script:python@\n@@\nimport os\n",
        "@ initialize:python @\n@@\nx\n",
        "#spatch --foo\n@@ @@\n- a\n",
    ],
)
def test_a_semantic_patch_with_code_is_refused(tree: Path, tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="script rule"):
        build.apply(_patch(tmp_path, "p.cocci", text), tree, SOURCE)


def test_a_patch_cannot_leave_its_tree(tree: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("a\n")
    text = "--- a/../victim\n+++ b/../victim\n@@ -1 +1 @@\n-a\n+b\n"
    with pytest.raises(InputError):
        build.apply(_patch(tmp_path, "p.patch", text), tree, SOURCE)
    assert victim.read_text() == "a\n"


def test_shipped_variants_name_their_patches() -> None:
    assert {"page-lock", "pool-lock"} <= set(build.shipped_variants())
    for name in build.shipped_variants():
        assert all(path.is_file() for path in build.variant(name).patches)


def test_an_unknown_variant_names_the_shipped_ones() -> None:
    with pytest.raises(UsageError, match="page-lock"):
        build.variant("nothing")


def test_a_damaged_unpack_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("abc")
    (tmp_path / "manifest.json").write_text('{"files": {"a": 3}}')
    assert fetch.is_whole(tmp_path)
    (tmp_path / "a").write_text("ab")
    assert not fetch.is_whole(tmp_path)
    (tmp_path / "manifest.json").write_text("[")
    assert not fetch.is_whole(tmp_path)


def test_a_directory_that_another_process_made_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "made"
    with paths.new_directory(path, replace=False) as work:
        (work / "file").write_text("mine")
        path.mkdir()
        (path / "file").write_text("theirs")
    assert (path / "file").read_text() == "theirs"
    with paths.new_directory(path) as work:
        (work / "file").write_text("mine")
    assert (path / "file").read_text() == "mine"
    assert [entry.name for entry in tmp_path.iterdir()] == ["made"]
