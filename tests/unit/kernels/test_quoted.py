"""A reply that quotes a patch, with remarks between: the patch is what it was."""

import re
from pathlib import Path

import pytest

from z3trace.errors import InputError
from z3trace.kernels import blobs, patch, quoted

SOURCE = "mm/x.c"
BEFORE = """\
/*
 * struct header - of a page
 * @buddy:\t\tlinks the page
 */
struct header {
\tstruct list_head buddy;
};

static int take(struct pool *pool, struct header *header)
{
\tint ret = 0;
\tint i;

\tspin_lock(&pool->lock);
\tfor (i = 0; i < 3; i++) {
\t\tif (!list_empty(&pool->lists[i])) {
\t\t\theader = list_first_entry(&pool->lists[i],
\t\t\t\t\t\tstruct header, buddy);
\t\t\tif (header->first == 0 &&
\t\t\t    header->last != 0)
\t\t\t\tret = 1;
\t\t\telse
\t\t\t\tret = 2;
\t\t}
next:
\t\tcpu_relax();
\t}
\tspin_unlock(&pool->lock);
\treturn ret;
}
"""
AFTER = """\
/*
 * struct header - of a page
 * @buddy:\t\tlinks the page
 * @page_lock:\t\tof this page
 */
struct header {
\tstruct list_head buddy;
\tspinlock_t page_lock;
};

/* Lock a page */
static inline void lock(struct header *header)
{
\tspin_lock(&header->page_lock);
}

static int take(struct pool *pool, struct header *header)
{
\tint ret = 0;
\tint i;

\tfor (i = 0; i < 3; i++) {
\t\tspin_lock(&pool->lock);
\t\theader = list_first_entry_or_null(&pool->lists[i],
\t\t\t\t\t\tstruct header, buddy);
\t\tspin_unlock(&pool->lock);
\t\tif (!header)
\t\t\tcontinue;
\t\tlock(header);
\t\tif (header->first == 0 &&
\t\t    header->last != 0)
\t\t\tret = 1;
\t\telse
\t\t\tret = 2;
next:
\t\t/*
\t\t * nobody holds it
\t\t */
\t\tif (ret)
\t\t\tunlock(header);
\t\tcpu_relax();
\t}

\treturn ret;
}
"""


def _diff(tmp_path: Path, *, index: bool = True) -> str:
    """The change as git writes it."""
    import subprocess

    old, new = tmp_path / "old.c", tmp_path / "new.c"
    old.write_text(BEFORE)
    new.write_text(AFTER)
    made = subprocess.run(
        ["git", "diff", "--no-index", "--abbrev=7", "old.c", "new.c"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    ).stdout.replace("old.c", SOURCE).replace("new.c", SOURCE)  # fmt: skip
    assert re.search(r"^index [0-9a-f]{7}\.\.", made, re.M)
    return made if index else re.sub(r"(?m)^index .*\n", "", made)


def _reply(diff: str, mark: str = "> ", remark: str = "\nis this right?\n\n") -> str:
    lines = [f"{mark}{line}".rstrip(" ") for line in diff.splitlines()]
    middle = len(lines) // 2
    body = "\n".join([*lines[:middle], remark, *lines[middle:], f"{mark}-- ", f"{mark}2.4.2"])
    head = "From: R <r@example.org>\nSubject: Re: [PATCH 1/3] x: a lock\nMessage-ID: <2@x>\n"
    head += "In-Reply-To: <1@x>\n\n"
    return f"{head}On Tue, Nov 15, 2016, A wrote:\n> Why.\n> ---\n{body}\n"


def _squeezed(reply: str) -> str:
    """As an archive shows it: blanks that stand together are one."""
    lines = (re.sub(r"[ \t]+", " ", line).rstrip() for line in reply.splitlines())
    return "\n".join(lines) + "\n"


def _applied(tmp_path: Path, text: str, base: str = BEFORE) -> tuple[str, list[str]]:
    (tmp_path / "p.eml").write_text(text)
    tree = tmp_path / "tree"
    (tree / "mm").mkdir(parents=True)
    (tree / SOURCE).write_text(base)
    said: list[str] = []
    read = patch.read(tmp_path / "p.eml", said.append)
    patch.apply(read, tree, SOURCE, patch.Way(lambda _, note: said.append(note)))
    return (tree / SOURCE).read_text(), said


@pytest.mark.parametrize("mark", ["> ", ">> ", "> > ", ">"])
def test_quoting_is_stripped_and_remarks_are_left_out(tmp_path: Path, mark: str) -> None:
    made, said = _applied(tmp_path, _reply(_diff(tmp_path), mark))
    assert made == AFTER
    assert said == ["p.eml: [PATCH 1/3] x: a lock is taken from a reply that quotes it"]


def test_a_reply_to_the_patch_answers_the_patch_and_not_the_reply(tmp_path: Path) -> None:
    (tmp_path / "p.eml").write_text(_reply(_diff(tmp_path)))
    (read,) = patch.read(tmp_path / "p.eml")
    assert read.message == "<1@x>"


def test_blanks_that_mail_lost_are_restored_and_proven_by_the_hash(tmp_path: Path) -> None:
    made, said = _applied(tmp_path, _squeezed(_reply(_diff(tmp_path))))
    assert made == AFTER
    assert said[1:] == [
        "mm/x.c: the quote lost blanks, all of which are restored: the result is the blob "
        f"{blobs.name(AFTER.encode())[:7]} that the patch names"
    ]


def test_what_could_not_be_restored_for_certain_is_shown(tmp_path: Path) -> None:
    made, said = _applied(tmp_path, _squeezed(_reply(_diff(tmp_path, index=False))))
    assert made == AFTER
    assert "could not be restored for certain" in said[-1]
    assert "@page_lock:" in said[-1]


def test_a_result_that_is_another_blob_is_told(tmp_path: Path) -> None:
    diff = re.sub(r"(?m)^(index [0-9a-f]+\.\.)[0-9a-f]+", r"\g<1>1234567", _diff(tmp_path))
    made, said = _applied(tmp_path, _squeezed(_reply(diff)))
    assert made == AFTER
    assert "not all right: the result is not the blob 1234567" in said[1]


def test_a_line_that_a_mail_program_broke_is_put_together(tmp_path: Path) -> None:
    diff = _diff(tmp_path).replace(
        "-\tspin_lock(&pool->lock);\n", "-\tspin_lock(\n&pool->lock);\n", 1
    )
    assert "-\tspin_lock(\n&pool" in diff
    assert _applied(tmp_path, _reply(diff))[0] == AFTER


def test_a_base_that_is_some_lines_off_is_found(tmp_path: Path) -> None:
    made, _ = _applied(tmp_path, _squeezed(_reply(_diff(tmp_path))), "// a\n// b\n" + BEFORE)
    assert made == "// a\n// b\n" + AFTER


def test_a_quote_that_was_cut_is_refused(tmp_path: Path) -> None:
    reply = _reply(_diff(tmp_path))
    cut = "\n".join(line for line in reply.splitlines() if "cpu_relax" not in line)
    with pytest.raises(InputError, match=r"hunk for line \d+ cannot be restored") as caught:
        _applied(tmp_path, cut)
    assert "was the quote cut" in caught.value.hint


def test_another_base_is_told_with_the_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not line \d+ of the base"):
        _applied(tmp_path, _reply(_diff(tmp_path)), BEFORE.replace("int ret", "long ret"))


def test_a_mail_with_the_patch_itself_is_preferred(tmp_path: Path) -> None:
    diff = _diff(tmp_path)
    sent = f"From x Mon Sep 17 00:00:00 2001\nFrom: A <a@x>\nSubject: [PATCH] x\n\n{diff}\n"
    reply = "From x Mon Sep 17 00:00:00 2001\n" + _reply(diff.replace("ret = 2", "ret = 3"))
    assert _applied(tmp_path, sent + reply)[0] == AFTER


def test_of_two_replies_that_which_quotes_most_counts(tmp_path: Path) -> None:
    diff = _diff(tmp_path)
    whole, part = _reply(diff), _reply("\n".join(diff.splitlines()[:12]))
    begin = "From x Mon Sep 17 00:00:00 2001\n"
    made, said = _applied(tmp_path, begin + part + "\n" + begin + whole)
    assert made == AFTER
    assert said[0].endswith("the one of 2 replies that quotes most")


def test_a_page_of_an_archive_says_whose_reply_it_is(tmp_path: Path) -> None:
    text = _reply(_diff(tmp_path)).partition("\n\n")[2]
    page = f"Re: [PATCH 1/3] x: a lock\n\nFrom: R\nDate: Fri Nov 25 2016\n\n\n{text}"
    (tmp_path / "page.txt").write_text(page)
    (read,) = patch.read(tmp_path / "page.txt")
    assert (read.subject, read.sender) == ("[PATCH 1/3] x: a lock", "R")
    assert read.wrote == "On Tue, Nov 15, 2016, A wrote:"


@pytest.mark.parametrize("text", [b"", b"> a\n> b\n", b"diff --git a/x b/x\n"])
def test_a_text_without_a_quoted_diff_has_none(text: bytes) -> None:
    assert quoted.diff(text) == b""


def test_a_blob_has_gits_name() -> None:
    assert blobs.name(b"a\n") == "78981922613b2afb6025042ff6bd878ac1994e85"
    assert blobs.is_of(b"a\n", "7898192")
    assert not blobs.is_of(b"a\n", "789819")


@pytest.mark.parametrize(
    ("index", "told"),
    [
        (("7898192", "6178079"), "x is blob 7898192, and with the patch 6178079, as it says"),
        (("7898192", "1111111"), "x is blob 7898192, as the patch says; with it, 61780798228d and not 1111111"),
        (("1111111", "6178079"), "x is blob 78981922613b and not 1111111, for which the patch was made; with it, 6178079, as it says"),
    ],
)  # fmt: skip
def test_blobs_are_held_against_the_index_line(index: tuple[str, str], told: str) -> None:
    assert blobs.held_against("x", b"a\n", b"b\n", index) == told
