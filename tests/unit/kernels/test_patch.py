"""Patches come from strangers: applied or refused, never executed."""

import os
import subprocess
from pathlib import Path

import pytest
from hostile import CODE, GOOD, GOOD_RULE, SOURCE, diff

from z3trace.errors import InputError, UsageError
from z3trace.kernels import patch


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    path = tmp_path / "tree"
    (path / "mm").mkdir(parents=True)
    (path / SOURCE).write_text(CODE)
    return path


def _apply(path: Path, tree: Path, fuzz: int = 0) -> list[str]:
    """What there was to say."""
    said: list[str] = []
    way = patch.Way(lambda each, text: said.append(f"{each.name}: {text}"), fuzz)
    patch.apply(patch.read(path, said.append), tree, SOURCE, way)
    return said


def _patch(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_a_semantic_patch_applies(tree: Path, tmp_path: Path) -> None:
    _apply(_patch(tmp_path, "p.cocci", "@@ @@\n-return 1;\n+return 2;\n"), tree)
    assert "return 2;" in (tree / SOURCE).read_text()


def test_a_mailed_patch_applies(tree: Path, tmp_path: Path) -> None:
    mail = (
        "From: A <a@example.org>\nSubject: [PATCH] x\n\nWhy.\n---\n mm/x.c | 2 +-\n\n"
        "--- a/mm/x.c\n+++ b/mm/x.c\n@@ -1,4 +1,4 @@\n int a(void)\n {\n-\treturn 1;\n+\treturn 3;\n }\n"
    )
    _apply(_patch(tmp_path, "p.mbox", mail), tree)
    assert "return 3;" in (tree / SOURCE).read_text()


def test_a_patch_that_changes_nothing_is_an_error(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="changes nothing"):
        _apply(_patch(tmp_path, "p.cocci", "@@ @@\n-return 7;\n+return 8;\n"), tree)


def test_a_patch_that_does_not_apply_shows_the_reject(tree: Path, tmp_path: Path) -> None:
    text = "--- a/mm/x.c\n+++ b/mm/x.c\n@@ -1,3 +1,3 @@\n int b(void)\n {\n-\treturn 9;\n+\treturn 3;\n"
    with pytest.raises(InputError, match="return 9"):
        _apply(_patch(tmp_path, "p.patch", text), tree)


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
        _apply(_patch(tmp_path, "p.cocci", text), tree)


def test_a_patch_cannot_leave_its_tree(tree: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("a\n")
    text = "--- a/../victim\n+++ b/../victim\n@@ -1 +1 @@\n-a\n+b\n"
    with pytest.raises(InputError):
        _apply(_patch(tmp_path, "p.patch", text), tree)
    assert victim.read_text() == "a\n"


@pytest.mark.parametrize("name", ["p", "P.PATCH", "p.py", "p.mbx", "p.diff.txt"])
def test_a_diff_may_have_any_name(tree: Path, tmp_path: Path, name: str) -> None:
    _apply(_patch(tmp_path, name, diff(f"a/{SOURCE}", f"b/{SOURCE}")), tree)
    assert "return 2;" in (tree / SOURCE).read_text()


@pytest.mark.parametrize("name", ["p.cocci", "P.COCCI", "p", "-"])
def test_so_may_a_semantic_patch(tmp_path: Path, name: str) -> None:
    (read,) = patch.read(_patch(tmp_path, name, "// x\n@ r @\n@@\n-return 1;\n+return 2;\n"))
    assert read.is_semantic


def test_a_text_that_is_no_patch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="p is no unified patch: it has no diff"):
        patch.read(_patch(tmp_path, "p", "x"))


@pytest.mark.parametrize("words", [("-c",), ("-e",), (), ("-c", "-r")])
def test_a_diff_of_another_kind_says_how_to_make_one(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    for name, text in (("a", CODE), ("b", CODE.replace("1", "2"))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.c").write_text(text)
    files = ("a", "b") if "-r" in words else ("a/x.c", "b/x.c")
    command = ["diff", *words, *files]
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    path = _patch(tmp_path, "p.patch", f"diff -r a b\n{made.stdout}")
    with pytest.raises(InputError, match="no unified patch") as raised:
        patch.apply(patch.read(path), tmp_path, "a/x.c", patch.Way())
    assert "git diff" in raised.value.hint


def test_a_mail_in_html_alone_is_refused_as_such(tmp_path: Path) -> None:
    head = "From: a@example.org\nSubject: [PATCH] x\nMIME-Version: 1.0\nContent-Type: text/html\n\n"
    path = _patch(tmp_path, "p.eml", f"{head}<pre>{diff(f'a/{SOURCE}', f'b/{SOURCE}')}</pre>")
    with pytest.raises(InputError, match="has no diff") as raised:
        patch.read(path)
    assert "HTML only" in raised.value.hint


def test_a_patch_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the patch .*none\.patch"):
        patch.read(tmp_path / "none.patch")


def test_a_patch_has_a_size_that_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="larger than 4194304 bytes"):
        patch.read(_patch(tmp_path, "p.patch", "x" * ((4 << 20) + 1)))


def test_an_aligned_structure_does_not_stop_a_semantic_patch(tree: Path, tmp_path: Path) -> None:
    code = "struct s {\n\tint i;\n} __attribute__((aligned(sizeof)));\n"
    (tree / SOURCE).write_text(code.replace("sizeof", "8") + CODE)
    _apply(_patch(tmp_path, "p.cocci", "@@ @@\n-return 1;\n+return 2;\n"), tree)
    text = (tree / SOURCE).read_text()
    assert "__aligned(8)" in text
    assert "return 2;" in text


def test_a_patch_may_be_reached_by_a_link_but_is_a_file(tmp_path: Path) -> None:
    text = diff(f"a/{SOURCE}", f"b/{SOURCE}")
    (tmp_path / "l.patch").symlink_to(_patch(tmp_path, "p.patch", text))
    assert [each.data for each in patch.read(tmp_path / "l.patch")] == [text.encode()]
    (tmp_path / "zero.patch").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "fifo.patch")
    (tmp_path / "d.patch").mkdir()
    for name in ("zero.patch", "fifo.patch", "d.patch"):
        with pytest.raises(
            InputError, match="cannot read .*: (it is no regular file|Too many levels)"
        ):
            patch.read(tmp_path / name)
    (tmp_path / "round.patch").symlink_to("round.patch")
    with pytest.raises(UsageError, match="cannot read the patch"):
        patch.read(tmp_path / "round.patch")


def test_two_patches_write_no_file_through_a_link(tree: Path, tmp_path: Path) -> None:
    """The first made the second's copy, or the source, a link to a file of the user's."""
    victim = tmp_path / "victim"
    victim.write_text(CODE)
    for name in ("applied.patch", SOURCE):
        away = f"diff --git a/{name} b/gone\nsimilarity index 100%\nrename from {name}\nrename to gone\n"
        link = f"diff --git a/{name} b/{name}\nnew file mode 120000\n--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+{victim}\n\\ No newline at end of file\n"
        first = _patch(tmp_path, "1.patch", away + link)
        with pytest.raises(InputError, match=r"1\.patch (renames, copies|changes nothing)"):
            _apply(first, tree)
    for name, text in (
        ("2.patch", diff(f"a/{SOURCE}", f"b/{SOURCE}", GOOD)),
        ("3.cocci", GOOD_RULE),
    ):
        (tree / SOURCE).unlink()
        (tree / SOURCE).symlink_to(victim)
        with pytest.raises(
            InputError, match=r"cannot read .*/x\.c: Too many levels of symbolic links"
        ):
            _apply(_patch(tmp_path, name, text), tree)
    assert victim.read_text() == CODE


@pytest.mark.parametrize("target", ["/dev/zero", "nothing"])
def test_a_source_that_is_no_file_is_not_read(tree: Path, tmp_path: Path, target: str) -> None:
    (tree / SOURCE).unlink()
    (tree / SOURCE).symlink_to(target)
    with pytest.raises(InputError, match="cannot read .*: (it is no regular file|Too many levels)"):
        _apply(_patch(tmp_path, "p.cocci", GOOD_RULE), tree)


def test_a_flood_is_no_source(tree: Path, tmp_path: Path) -> None:
    (tree / SOURCE).write_bytes(b"\n" * ((4 << 20) + 1))
    with pytest.raises(InputError, match="larger than 4194304 bytes"):
        _apply(_patch(tmp_path, "p.cocci", GOOD_RULE), tree)


def test_a_hunk_may_be_a_little_off_and_it_is_said(tree: Path, tmp_path: Path) -> None:
    (tree / SOURCE).write_text("/* more */\n\n" + CODE)
    said = _apply(_patch(tmp_path, "p.patch", diff(f"a/{SOURCE}", f"b/{SOURCE}", GOOD)), tree)
    assert "return 2;" in (tree / SOURCE).read_text()
    assert said == ["p.patch: mm/x.c: hunk 1 is at line 3, 2 lines further down, in a()"]


def test_fuzz_is_the_users_decision(tree: Path, tmp_path: Path) -> None:
    code = "/* more */\n\n" + CODE.replace("int a(void)", "long a(void)")
    (tree / SOURCE).write_text(code)
    path = _patch(tmp_path, "p.patch", diff(f"a/{SOURCE}", f"b/{SOURCE}", GOOD))
    with pytest.raises(InputError, match=r"p\.patch does not apply: .* with fuzz 1") as raised:
        _apply(path, tree)
    assert raised.value.hint == "--fuzz 1 puts it there"
    assert (tree / SOURCE).read_text() == code
    said = _apply(path, tree, fuzz=1)
    assert "return 2;" in (tree / SOURCE).read_text()
    assert said == [
        "p.patch: mm/x.c: hunk 1 is at line 3, 2 lines further down, with fuzz 1, in a()"
    ]


def test_a_patch_for_other_files_alone_changes_nothing(tree: Path, tmp_path: Path) -> None:
    other = _patch(tmp_path, "p.patch", diff("a/mm/y.c", "b/mm/y.c", GOOD))
    with pytest.raises(InputError, match=r"p\.patch changes nothing in mm/x\.c"):
        _apply(other, tree)


def test_but_in_a_series_with_others_it_is_left_out(tree: Path, tmp_path: Path) -> None:
    head = "From x Mon Sep 17 00:00:00 2001\nFrom: a@example.org\nSubject: [PATCH {}/2] x\n\n"
    text = head.format(1) + diff("a/mm/y.c", "b/mm/y.c", GOOD) + "\n"
    text += head.format(2) + diff(f"a/{SOURCE}", f"b/{SOURCE}", GOOD)
    assert _apply(_patch(tmp_path, "p.mbox", text), tree) == [
        "p.mbox 1/2: '[PATCH 1/2] x'",
        "p.mbox 2/2: '[PATCH 2/2] x'",
        "p.mbox 1/2: left out: mm/y.c",
    ]
    assert "return 2;" in (tree / SOURCE).read_text()


def test_a_later_patch_may_change_the_header_of_an_earlier_one(tree: Path, tmp_path: Path) -> None:
    first = diff("/dev/null", "b/mm/y.h", "@@ -0,0 +1 @@\n+#define Y 1\n", "new file mode 100644\n")
    use = diff(f"a/{SOURCE}", f"b/{SOURCE}", '@@ -1 +1,2 @@\n+#include "y.h"\n int a(void)\n')
    second = diff("a/mm/y.h", "b/mm/y.h", "@@ -1 +1 @@\n-#define Y 1\n+#define Y 2\n")
    text = first.replace("diff --git /dev/null", "diff --git a/mm/y.h") + use + second
    (read,) = patch.read(_patch(tmp_path, "p.patch", text))
    assert patch.apply([read], tree, SOURCE, patch.Way()) == ["mm/y.h"]
    assert (tree / "mm/y.h").read_text() == "#define Y 2\n"
    assert (tree / SOURCE).read_text().startswith('#include "y.h"\n')


def test_a_header_that_is_not_there_is_left_out(tree: Path, tmp_path: Path) -> None:
    text = diff("a/mm/internal.h", "b/mm/internal.h") + diff(f"a/{SOURCE}", f"b/{SOURCE}")
    assert _apply(_patch(tmp_path, "p.patch", text), tree) == [
        "p.patch: left out: mm/internal.h; the source package has none to change"
    ]


VIRTUAL = """\
virtual patch, context
@depends on patch@ @@
-return 1;
+return 2;
@depends on context@ @@
* return 1;
"""
VALUE = "@r@ identifier virtual.f; @@\n f(...) {\n+x();\n ... }\n"


def test_virtual_rules_are_chosen_or_refused(tree: Path, tmp_path: Path) -> None:
    path = _patch(tmp_path, "p.cocci", VIRTUAL)
    with pytest.raises(UsageError, match="none is chosen: patch, context") as raised:
        patch.read(path)
    assert raised.value.hint == "choose with --define patch"
    patches = patch.read_all([path], defines=["patch"])
    patch.apply(patches, tree, SOURCE, patch.Way())
    assert "return 2;" in (tree / SOURCE).read_text()
    assert patches[0].identity != patch.read_all([path], defines=["context"])[0].identity


def test_a_virtual_identifier_wants_a_value(tree: Path, tmp_path: Path) -> None:
    path = _patch(tmp_path, "p.cocci", VALUE)
    with pytest.raises(UsageError, match="none is chosen: f") as raised:
        patch.read(path)
    assert raised.value.hint == "choose with --define f=VALUE"
    patch.apply(patch.read_all([path], defines=["f=a"]), tree, SOURCE, patch.Way())
    assert "x();" in (tree / SOURCE).read_text()


@pytest.mark.parametrize(
    "define", ["other", "patch=1", "-x", "patch --python x", "", "pätch;", "="]
)
def test_a_name_that_no_patch_has_is_a_mistake(tmp_path: Path, define: str) -> None:
    path = _patch(tmp_path, "p.cocci", VIRTUAL)
    with pytest.raises(UsageError, match="--define"):
        patch.read_all([path], defines=["patch", define])


def test_a_patch_in_another_encoding_is_no_traceback(tree: Path, tmp_path: Path) -> None:
    """The source has what the patch has, or it has no letters of its own."""
    for code, text in ((b"\xe4", b"\xe4"), ("ä".encode(), b"\xe4"), (b"", b"\xe4")):
        (tree / SOURCE).write_bytes(b"/* " + code + b" */\n" + CODE.encode())
        hunk = b"@@ -1,2 +1,3 @@\n /* " + (text if code else b"") + b" */\n+/* " + text + b" */\n"
        hunk += b" int a(void)\n"
        path = tmp_path / os.fsdecode(b"p\xff.patch")
        path.write_bytes(f"--- a/{SOURCE}\n+++ b/{SOURCE}\n".encode() + hunk)
        assert _apply(path, tree) == []
        made = (tree / SOURCE).read_bytes().split(b"\n")
        assert made[1] == b"/* " + (code or "ä".encode()) + b" */"
