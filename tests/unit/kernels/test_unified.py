"""What of a unified patch goes to ``patch``: the lines of one file."""

import time
from pathlib import Path

import pytest
from hostile import GOOD, SOURCE, UNIFIED, Prey, diff

from z3trace.errors import InputError
from z3trace.kernels.unified import only_lines

HEADER = f"--- a/{SOURCE}\n+++ b/{SOURCE}\n"
#: These change nothing but lines of the source; what is in the lines is the compiler's.
LINES = {name for name in UNIFIED if name.startswith("source of ")}


def _lines(text: str) -> str:
    return only_lines("p.patch", text.encode("latin-1"), SOURCE).decode("latin-1")


@pytest.mark.parametrize("name", sorted(UNIFIED.keys() - LINES))
def test_all_but_lines_of_the_source_is_refused(name: str) -> None:
    text = UNIFIED[name](Prey(Path("/outside/canary"), 1, 1))
    with pytest.raises(InputError, match=r"^p\.patch "):
        _lines(text)


@pytest.mark.parametrize("name", sorted(UNIFIED.keys() - LINES))
@pytest.mark.parametrize("before", [True, False])
def test_beside_what_is_good_too(name: str, before: bool) -> None:
    """What is no part of a patch at all may stand beside one and is left out."""
    hostile = UNIFIED[name](Prey(Path("/outside/canary"), 1, 1))
    good = diff(f"a/{SOURCE}", f"b/{SOURCE}")
    try:
        lines = _lines(hostile + good if before else good + hostile)
    except InputError:
        return
    assert lines.rstrip("\n") == HEADER + GOOD.rstrip("\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (diff("a/mm/y.c", "b/mm/y.c"), "changes mm/y.c, or was not made for 'patch -p1'"),
        (diff(SOURCE, SOURCE), "changes x.c, or was not made"),
        (diff("a/../mm/x.c", "b/../mm/x.c"), "an absolute or upward path"),
        (diff("/etc/passwd", f"b/{SOURCE}"), "an absolute or upward path"),
        (diff("/dev/null", f"b/{SOURCE}"), "makes or removes a file"),
        (diff(f"a/{SOURCE}", f"b/{SOURCE}", "", "new mode 120000\n"), "a symbolic link"),
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
        _lines(text)
    assert reason in str(raised.value)


def test_words_around_a_patch_are_left_out() -> None:
    mail = "From: A <a@example.org>\nSubject: x\n\nrename from here\n---\n mm/x.c | 2 +-\n\n"
    assert _lines(mail + HEADER + GOOD + "-- \n2.39\n") == HEADER + GOOD


def test_a_patch_of_git_and_times_are_read() -> None:
    more = "index 1234567..89abcde 100644\n"
    assert _lines(diff(f"a/{SOURCE}", f"b/{SOURCE}", GOOD, more)) == HEADER + GOOD
    timed = f"--- a/{SOURCE}.orig\t2024-01-01 00:00:00\n+++ b/{SOURCE}\t2024-01-02 00:00:00\n"
    assert _lines(timed + GOOD) == HEADER + GOOD


def test_several_patches_of_one_file_stay_in_order() -> None:
    second = GOOD.replace("return 2", "return 3").replace("return 1", "return 2")
    both = diff(f"a/{SOURCE}", f"b/{SOURCE}") + diff(f"a/{SOURCE}", f"b/{SOURCE}", second)
    assert _lines(both) == HEADER + GOOD + HEADER + second


def test_bytes_of_any_encoding_stay() -> None:
    hunk = "@@ -1,2 +1,2 @@\n-/* \xe9 \x85 \x0c */\n+/* \xc3\xa9 \x1c */\n x\n"
    assert _lines(HEADER + hunk) == HEADER + hunk


def test_a_patch_of_dos_is_one_of_lines() -> None:
    assert _lines((HEADER + GOOD).replace("\n", "\r\n")) == HEADER + GOOD


def test_a_missing_end_of_line_is_kept() -> None:
    hunk = "@@ -1,1 +1,1 @@\n-a\n+b\n\\ No newline at end of file\n"
    assert _lines(HEADER + hunk) == HEADER + hunk


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
        _lines(text + "\n")
    assert time.process_time() - start < 2
    assert len(str(raised.value)) < 400


def test_an_address_in_gits_header_is_refused() -> None:
    hostile = diff(f"http://a/{SOURCE}", f"http://b/{SOURCE}")
    with pytest.raises(InputError, match="an address"):
        _lines(hostile)


def test_words_of_a_mail_may_have_an_address() -> None:
    mail = "From: A <a@example.org>\nsee https://example.org/ for git diff --git a://b\n---\n\n"
    assert _lines(mail + HEADER + GOOD) == HEADER + GOOD
