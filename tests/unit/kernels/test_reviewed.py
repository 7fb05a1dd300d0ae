"""A base and patches become two variants, and lines to quote with their numbers."""

import re
from pathlib import Path

import mails
import pytest

from z3trace.errors import InputError
from z3trace.kernels import blobs, reviewed
from z3trace.kernels.base import Base
from z3trace.kernels.layout import Kernel

SOURCE = mails.SOURCE
BASE = Base("x", {SOURCE: mails.BEFORE.encode()}, "the file x.c")


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    made = Kernel(tmp_path / "kernel", "6.1.0-9-amd64", "6.1.9-1")
    (made.sources / "mm").mkdir(parents=True)
    return made


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> mails.Sent:
    return mails.sent(tmp_path_factory.mktemp("sent") / "tree")


def _pair(kernel: Kernel, path: Path, data: bytes) -> reviewed.Pair:
    path.write_bytes(data)
    return reviewed.pair(kernel, SOURCE, BASE, [path], lambda _: None)


def test_a_series_makes_the_source_that_git_makes(
    kernel: Kernel, tmp_path: Path, sent: mails.Sent
) -> None:
    pair = _pair(kernel, tmp_path / "series.mbox", b"".join([sent.cover, *sent.mails]))
    assert pair.before.files == BASE.files
    assert pair.after.files == {SOURCE: sent.after}
    assert (pair.before.name, pair.after.name) == ("x", "x+series")
    assert len(pair.texts) == 3
    index = f"{SOURCE} is blob {blobs.name(mails.BEFORE.encode())[:7]}, and with the patch "
    assert any(note.startswith(index) for note in pair.notes)


def test_every_quoted_line_has_its_number_after_the_whole_series(
    kernel: Kernel, tmp_path: Path, sent: mails.Sent
) -> None:
    pair = _pair(kernel, tmp_path / "series.mbox", b"".join([sent.cover, *sent.mails]))
    after = sent.after.decode().split("\n")
    numbered = [line for text in pair.texts for line in text.lines if line.line]
    for line in numbered:
        if line.kind != "removed":
            assert after[line.line - 1] == line.text[1:]
    assert sum(line.kind == "added" for line in numbered) == 3
    assert {line.function for line in numbered} >= {"f10", "f30"}


def test_a_line_that_a_later_patch_changes_has_no_number(kernel: Kernel, tmp_path: Path) -> None:
    before = "int a(void)\n{\n\treturn 1;\n}\n"
    first = "--- a/mm/x.c\n+++ b/mm/x.c\n@@ -1,4 +1,4 @@\n int a(void)\n {\n-\treturn 1;\n+\treturn 2;\n }\n"
    second = first.replace("return 2", "return 3").replace("return 1", "return 2")
    for name, text in (("1.patch", first), ("2.patch", second)):
        (tmp_path / name).write_text(text)
    base = Base("x", {SOURCE: before.encode()}, "")
    pair = reviewed.pair(
        kernel, SOURCE, base, [tmp_path / "1.patch", tmp_path / "2.patch"], lambda _: None
    )
    added = [line for text in pair.texts for line in text.lines if line.kind == "added"]
    assert [(line.text, line.line) for line in added] == [("+\treturn 2;", 0), ("+\treturn 3;", 3)]


def test_the_header_of_a_hunk_is_that_of_the_patch(
    kernel: Kernel, tmp_path: Path, sent: mails.Sent
) -> None:
    pair = _pair(kernel, tmp_path / "p.patch", sent.mails[0])
    wanted = re.findall(rb"(?m)^@@ .*$", sent.mails[0])
    headers = [line.text for text in pair.texts for line in text.lines if line.kind == "hunk"]
    assert headers == [line.decode() for line in wanted]


def test_patches_that_change_nothing_are_refused(kernel: Kernel, tmp_path: Path) -> None:
    text = "--- a/mm/y.c\n+++ b/mm/y.c\n@@ -1 +1 @@\n-a\n+b\n"
    with pytest.raises(InputError, match="changes nothing"):
        _pair(kernel, tmp_path / "p.patch", text.encode())
