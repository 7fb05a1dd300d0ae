"""What of a unified patch is for a module: lines of its source, and headers beside it."""

import time
from pathlib import Path

import pytest
from hostile import GOOD, SOURCE, UNIFIED, Prey, diff

from z3trace.errors import InputError
from z3trace.kernels.hunks import Hunk
from z3trace.kernels.unified import Lines, lines_for

HEADER = f"--- a/{SOURCE}\n+++ b/{SOURCE}\n"
#: These change nothing but lines of the source; what is in the lines is the compiler's.
LINES = {name for name in UNIFIED if name.startswith("source of ")}


def _read(text: str) -> Lines:
    return lines_for("p.patch", text.encode("latin-1"), SOURCE)


def _hunks(text: str) -> list[Hunk]:
    """The hunks for the source; InputError if there are none."""
    changes = _read(text).changes
    if not changes:
        raise InputError("p.patch is for other files")
    return [hunk for change in changes if change.path == SOURCE for hunk in change.hunks]


def _side(*lines: str) -> tuple[bytes, ...]:
    return tuple(line.encode("latin-1") for line in lines)


GOOD_HUNK = Hunk(
    1,
    "",
    _side("int a(void)\n", "{\n", "\treturn 1;\n", "}\n"),
    _side("int a(void)\n", "{\n", "\treturn 2;\n", "}\n"),
    2,
    1,
)


@pytest.mark.parametrize("name", sorted(UNIFIED.keys() - LINES))
def test_all_but_lines_of_the_source_is_refused(name: str) -> None:
    text = UNIFIED[name](Prey(Path("/outside/canary"), 1, 1))
    with pytest.raises(InputError, match=r"^p\.patch "):
        _hunks(text)


@pytest.mark.parametrize("name", sorted(UNIFIED.keys() - LINES))
@pytest.mark.parametrize("before", [True, False])
def test_beside_what_is_good_too(name: str, before: bool) -> None:
    """What is no part of a patch at all may stand beside one and is left out."""
    hostile = UNIFIED[name](Prey(Path("/outside/canary"), 1, 1))
    good = diff(f"a/{SOURCE}", f"b/{SOURCE}")
    try:
        hunks = _hunks(hostile + good if before else good + hostile)
    except InputError:
        return
    assert hunks == [GOOD_HUNK]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (diff("a/../mm/x.c", "b/../mm/x.c"), "an absolute or upward path"),
        (diff("/etc/passwd", f"b/{SOURCE}"), "an absolute or upward path"),
        (diff("/dev/null", f"b/{SOURCE}"), "makes or removes mm/x.c"),
        (diff(f"a/{SOURCE}", f"b/{SOURCE}", "", "new mode 120000\n"), "a symbolic link of mm/x.c"),
        (diff(f"a/{SOURCE}", f"b/{SOURCE}", "", "new file mode 160000\n"), "a submodule"),
        (diff(f"a/{SOURCE}", f"b/{SOURCE}", "", "new mode 100600\n"), "a file of mode 100600"),
        (
            diff(f"a/{SOURCE}", f"b/{SOURCE}", GOOD, "rename from a\n"),
            "renames, copies or replaces",
        ),
        (diff(f"a/{SOURCE}", f"b/{SOURCE}", ""), "changes no line of mm/x.c"),
        ("1d\n.\nw\n", "it changes no line of any file"),
        (HEADER + "@@ -1,4 +1,4 @@\n int a(void)\n", "shorter than expected"),
        (HEADER + f"@@ -{'9' * 5000} +1 @@\n", "no unified patch"),
        ("\n" * 200_001, "more than 200000 lines"),
    ],
)
def test_why_it_is_refused_is_said(text: str, reason: str) -> None:
    with pytest.raises(InputError) as raised:
        _hunks(text)
    assert reason in str(raised.value)


def test_words_around_a_patch_are_left_out() -> None:
    mail = "From: A <a@example.org>\nSubject: x\n\nrename from here\n---\n mm/x.c | 2 +-\n\n"
    assert _hunks(mail + HEADER + GOOD + "-- \n2.39\n") == [GOOD_HUNK]


def test_a_patch_of_git_and_times_are_read() -> None:
    more = "index 1234567..89abcde 100644\n"
    assert _hunks(diff(f"a/{SOURCE}", f"b/{SOURCE}", GOOD, more)) == [GOOD_HUNK]
    timed = f"--- a/{SOURCE}.orig\t2024-01-01 00:00:00\n+++ b/{SOURCE}\t2024-01-02 00:00:00\n"
    assert _hunks(timed + GOOD) == [GOOD_HUNK]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *(
            (f"{one}/{SOURCE}", f"{two}/{SOURCE}")
            for one, two in ("ab", "iw", "ci", "ow", "wi", "12")
        ),
        (SOURCE, SOURCE),
        (f"./{SOURCE}", f"./{SOURCE}"),
        (f"{SOURCE}.orig", SOURCE),
        (f"linux-6.1.orig/{SOURCE}", f"linux-6.1/{SOURCE}"),
        (f"linux-6.1/{SOURCE}.old", f"linux-6.1/{SOURCE}"),
        ("a/x.c", "b/x.c"),
        ("x.c", "x.c"),
    ],
)
def test_what_stands_before_a_name_is_known(old: str, new: str) -> None:
    for text in (diff(old, new), f"--- {old}\n+++ {new}\n{GOOD}"):
        assert _hunks(text) == [GOOD_HUNK]


@pytest.mark.parametrize(
    "name",
    [
        "a/mm/y.c",
        "a/lib/x.c",
        "a/tools/mm/x.c",
        "tools/mm/x.c",
        "a/mm/x.c.orig",
        "a/drivers/a/mm/x.c",
    ],
)
def test_another_file_is_not_taken_for_the_source(name: str) -> None:
    read = _read(diff(name, name.replace("a/", "b/", 1)))
    assert read.changes == ()
    assert len(read.left_out) == 1


def test_names_below_a_directory_are_so_for_all_files() -> None:
    header = diff("/dev/null", "b/y.h", "@@ -0,0 +1 @@\n+#define Y 1\n", "new file mode 100644\n")
    read = _read(
        header.replace("diff --git /dev/null", "diff --git a/y.h") + diff("a/x.c", "b/x.c")
    )
    assert [(change.path, change.is_new) for change in read.changes] == [
        ("mm/y.h", True),
        (SOURCE, False),
    ]


OTHERS = {
    "documentation": (
        diff("a/Documentation/x.rst", "b/Documentation/x.rst"),
        "Documentation/x.rst",
    ),
    "a header of the kernel": (
        diff("a/include/linux/x.h", "b/include/linux/x.h"),
        "include/linux/x.h; the kernel's own is used",
    ),
    "another source": (diff("a/mm/y.c", "b/mm/y.c"), "mm/y.c"),
    "a renamed file": (
        "diff --git a/mm/y.rst b/mm/z.rst\nsimilarity index 100%\nrename from mm/y.rst\n"
        "rename to mm/z.rst\n",
        "mm/z.rst",
    ),
    "a binary file": (
        "diff --git a/x.bin b/x.bin\nnew file mode 100644\nindex 0000000..1111111\n"
        "GIT binary patch\nliteral 18\nZcmeAS@N?(olHy`uVBq!ia0y~y001Cr0^R@s\n\n"
        "literal 0\nHcmV?d00001\n\n",
        "x.bin",
    ),
    "a binary file in one line": (
        "diff --git a/x.bin b/x.bin\nindex 0000000..1111111\n"
        "Binary files a/x.bin and b/x.bin differ\n",
        "x.bin",
    ),
    "a mode": ("diff --git a/x.sh b/x.sh\nold mode 100644\nnew mode 100755\n", "x.sh"),
    "a removed file": (
        diff("a/mm/y.c", "/dev/null", "@@ -1 +0,0 @@\n-x\n", "deleted file mode 100644\n").replace(
            "diff --git a/mm/y.c /dev/null", "diff --git a/mm/y.c b/mm/y.c"
        ),
        "mm/y.c",
    ),
}


@pytest.mark.parametrize("kind", sorted(OTHERS))
@pytest.mark.parametrize("before", [True, False])
def test_what_is_for_other_files_is_left_out_and_said(kind: str, before: bool) -> None:
    other, said = OTHERS[kind]
    good = diff(f"a/{SOURCE}", f"b/{SOURCE}")
    read = _read(other + good if before else good + other)
    assert read.left_out == (said,)
    assert [change.hunks for change in read.changes] == [(GOOD_HUNK,)]


@pytest.mark.parametrize(
    "fault", ["new mode 120000\n", "rename from mm/z.h\n", "deleted file mode 100644\n"]
)
def test_a_header_is_taken_for_its_lines_alone(fault: str) -> None:
    header = diff("a/mm/y.h", "b/mm/y.h", GOOD, fault)
    if "deleted" in fault:
        header = header.replace("+++ b/mm/y.h", "+++ /dev/null")
    assert _read(header).left_out == ("mm/y.h",)
    assert _read(diff("a/mm/y.h", "b/mm/y.h")).changes[0].path == "mm/y.h"


def test_several_patches_of_one_file_stay_in_order() -> None:
    second = GOOD.replace("return 2", "return 3").replace("return 1", "return 2")
    both = diff(f"a/{SOURCE}", f"b/{SOURCE}") + diff(f"a/{SOURCE}", f"b/{SOURCE}", second)
    assert [hunk.new[2] for hunk in _hunks(both)] == [b"\treturn 2;\n", b"\treturn 3;\n"]


def test_bytes_of_any_encoding_stay() -> None:
    hunk = "@@ -1,2 +1,2 @@\n-/* \xe9 \x85 \x0c */\n+/* \xc3\xa9 \x1c */\n x\n"
    (found,) = _hunks(HEADER + hunk)
    assert found.old == _side("/* \xe9 \x85 \x0c */\n", "x\n")
    assert found.new == _side("/* \xc3\xa9 \x1c */\n", "x\n")


def test_a_patch_of_dos_is_one_of_lines() -> None:
    assert _hunks((HEADER + GOOD).replace("\n", "\r\n")) == [GOOD_HUNK]


def test_a_missing_end_of_line_is_kept() -> None:
    mark = "\\ No newline at end of file\n"
    (found,) = _hunks(HEADER + f"@@ -1,2 +1,2 @@\n x\n-a\n{mark}+b\n{mark}")
    assert (found.old, found.new) == (_side("x\n", "a"), _side("x\n", "b"))
    (found,) = _hunks(HEADER + f"@@ -1,2 +1,3 @@\n+x\n a\n b\n{mark}")
    assert (found.old, found.new) == (_side("a\n", "b"), _side("x\n", "a\n", "b"))


def test_a_blank_line_of_context_may_have_lost_its_blank() -> None:
    (found,) = _hunks(HEADER + "@@ -1,2 +1,3 @@\n\n+x\n a\n\n\nText\n")
    assert (found.old, found.new) == (_side("\n", "a\n"), _side("\n", "x\n", "a\n"))


_MIB = 1 << 20


@pytest.mark.parametrize(
    "text",
    [
        "Binary files " + " and " * (4 * _MIB // 5),
        "Binary file " + "a\t0" * (4 * _MIB // 3),
        "diff --git " + "://a" * (_MIB // 2) + " " * (2 * _MIB),
        "diff --git " + " " * (4 * _MIB),
        "diff --git a/" + " b/" * (4 * _MIB // 3) + "\t",
        "diff --git a/" + '" "' * (4 * _MIB // 3),
        "--- " + '"\t' * (2 * _MIB),
        "+++ " + "\r" * (4 * _MIB),
        "index " + "0" * (2 * _MIB) + ".." + "0" * (2 * _MIB),
        "@@ -" + "1" * (4 * _MIB),
        "@@ -1 +1 @@" + " @@" * (4 * _MIB // 3),
        "rename from " + " to " * _MIB,
        f"diff --git a/{SOURCE} b/{SOURCE}\nnew mode " + "1" * (4 * _MIB),
        *(
            line * (2 * _MIB // 22)
            for line in ("diff --git a/xxx b/xxx\n", "--- a/xxx\n+++ b/xxx\n")
        ),
    ],
    ids=lambda text: repr(text[:20]),
)
def test_no_line_takes_more_than_linear_time(text: str) -> None:
    """Each is some MiB: a regular expression that goes back would take years."""
    start = time.process_time()
    with pytest.raises(InputError) as raised:
        _hunks(text + "\n")
    assert time.process_time() - start < 2
    assert len(str(raised.value)) < 400


def test_an_address_in_gits_header_is_refused() -> None:
    hostile = diff(f"http://a/{SOURCE}", f"http://b/{SOURCE}")
    with pytest.raises(InputError, match="an address"):
        _hunks(hostile)


def test_words_of_a_mail_may_have_an_address() -> None:
    mail = "From: A <a@example.org>\nsee https://example.org/ for git diff --git a://b\n---\n\n"
    assert _hunks(mail + HEADER + GOOD) == [GOOD_HUNK]
