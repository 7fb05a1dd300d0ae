"""``kernel build`` with what people hand over: what it says, and how it ends."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from z3trace import cli
from z3trace.kernels import fetch, variant
from z3trace.kernels.layout import Kernel

SOURCE = "mm/z3fold.c"
CODE = "/* z3fold */\nint a(void)\n{\n\treturn 1;\n}\n\nint b(void)\n{\n\treturn 1;\n}\n"
MAKEFILE = (
    "include $(M)/Kbuild\nmodules:\n\tgcc -g -c $(M)/$(obj-m:.o=).c -o $(M)/$(obj-m:.o=).ko\n"
)
HEAD = f"--- a/{SOURCE}\n+++ b/{SOURCE}\n"
GOOD = HEAD + "@@ -3,4 +3,4 @@ int a(void)\n int a(void)\n {\n-\treturn 1;\n+\treturn 2;\n }\n"
FUZZY = HEAD + "@@ -2,4 +2,4 @@ int a(void)\n long a(void)\n {\n-\treturn 1;\n+\treturn 2;\n }\n"
ELSEWHERE = HEAD + "@@ -8,3 +8,3 @@ int c(void)\n {\n-\treturn 1;\n+\treturn 2;\n }\n"
Build = Callable[..., tuple[int, str, str]]


@pytest.fixture
def build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Build:
    """Build with a patch of a name and a content: (status, the built source, what was said)."""
    kernel = Kernel(tmp_path / "kernel", "6.1.0-9-amd64", "6.1.9-1")
    for path, text in ((kernel.headers / "Makefile", MAKEFILE), (kernel.sources / SOURCE, CODE)):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fetch, "cached", lambda *_: kernel)

    def run(name: str, content: bytes, *words: str) -> tuple[int, str, str]:
        path = tmp_path / name
        path.write_bytes(content)
        status = cli.run(["kernel", "build", "--patch", str(path), *words])
        said = capsys.readouterr()
        built = Path(said.out.strip()).with_suffix(".c") if status == 0 else None
        return status, built.read_text() if built else "", said.err

    return run


def test_where_a_hunk_went_is_said(build: Build) -> None:
    status, source, said = build("p.patch", GOOD.encode())
    assert status == 0, said
    assert source == CODE.replace("return 1", "return 2", 1)
    assert "p.patch: mm/z3fold.c: hunk 1 is at line 2, 1 line further up, in a()\n" in said


def test_fuzz_is_taken_on_request_and_said(build: Build) -> None:
    status, _, said = build("p.patch", FUZZY.encode())
    assert status == 1
    assert said.splitlines()[1].endswith("it fits only at line 2, with fuzz 1, in a():")
    assert said.endswith("\n  --fuzz 1 puts it there\n")
    status, source, said = build("p.patch", FUZZY.encode(), "--fuzz", "1")
    assert (status, source) == (0, CODE.replace("return 1", "return 2", 1))
    assert "hunk 1 is at line 2, with fuzz 1, in a()" in said


def test_so_is_another_function(build: Build) -> None:
    status, _, said = build("p.patch", ELSEWHERE.encode())
    assert status == 0, said
    assert "hunk 1 is at line 8, in b() instead of c()" in said
    moved = ELSEWHERE.replace("-8,3 +8,3", "-9,3 +9,3")
    status, _, said = build("q.patch", moved.encode())
    assert status == 1
    assert "in b() instead of c(), which the file does not have" in said
    assert build("q.patch", moved.encode(), "--fuzz", "1")[0] == 0


def test_a_virtual_rule_is_chosen(build: Build) -> None:
    rules = b"virtual patch\n@depends on patch@ @@\n-return 1;\n+return 2;\n"
    status, _, said = build("p.cocci", rules)
    assert (status, said.splitlines()[-1]) == (2, "  choose with --define patch")
    status, source, said = build("p.cocci", rules, "--define", "patch")
    assert (status, source) == (0, CODE.replace("return 1", "return 2"))


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input_is_a_patch(
    build: Build, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build("unused.patch", b"")
    (tmp_path / f"given{name.count('/')}").write_text(GOOD)
    before = os.dup(0)
    try:
        with (tmp_path / f"given{name.count('/')}").open("rb") as file:
            os.dup2(file.fileno(), 0)
            status = cli.run(["kernel", "build", "--patch", name])
    finally:
        os.dup2(before, 0)
        os.close(before)
    said = capsys.readouterr()
    assert status == 0, said.err
    assert "stock+stdin" in said.out


HOSTILE = {
    "nothing": b"",
    "zeros": b"\0" * 5000,
    "text": b"Hello.\n",
    "a damaged pack": b"\x1f\x8b\x08" + b"\xff" * 99,
    "half of UTF-16": b"\xff\xfea",
    "bytes": bytes(range(256)) * 9,
    "a link": (
        HEAD.replace("---", f"diff --git a/{SOURCE} b/{SOURCE}\nnew mode 120000\n---")
    ).encode(),
    "upward": b"--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n",
    "another file": b"--- a/mm/zbud.c\n+++ b/mm/zbud.c\n@@ -1 +1 @@\n-a\n+b\n",
    "a broken hunk": f"{HEAD}@@ -1,9 +1,9 @@\n x\n".encode(),
    "an answer": b"From: x\nSubject: Re: [PATCH] x\n\n" + GOOD.encode(),
    "a gap": b"".join(
        f"From x Mon Sep 17 00:00:00 2001\nFrom: x\nSubject: [PATCH {n}/3] x\n\n{GOOD}\n".encode()
        for n in (1, 3)
    ),
    "code": b"@script:python@\n@@\nimport os\n",
    "a broken rule": b"@@ @@\n- {{{\n",
    "a large one": b"x\n" * (3 << 20),
    "letters of the terminal": b"From: x\nSubject: \x1b[31m\x07\n\n\x1b[31m",
}


@pytest.mark.parametrize("kind", sorted(HOSTILE))
@pytest.mark.parametrize("name", ["p.patch", "p", "\udcff\x1b[31m'\n.mbox"])
def test_what_is_no_patch_ends_in_one_of_our_errors(
    build: Build, kind: str, name: str, tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())
    status, _, said = build(name, HOSTILE[kind])
    assert status in (1, 2)
    lines = said.splitlines()
    assert [line for line in lines if line.startswith("z3trace: ")], said
    assert "Traceback" not in said
    assert "Errno" not in said
    assert "\x1b" not in said
    assert [path for path in sorted(tmp_path.iterdir()) if path not in before] in (
        [tmp_path / name],
        [tmp_path / "cache", tmp_path / name],
        [tmp_path / name, tmp_path / "cache"],
    )
    assert not list((tmp_path / "cache").rglob("*.ko"))


@pytest.mark.parametrize(
    "words",
    [
        ["ab", "--before", "stock", "-o", "out"],
        ["check"],
        ["kernel", "build"],
    ],
)
def test_every_verb_with_patches_applies_them_as_it_is_told(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "p.patch").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fetch, "cached", lambda *_: None)
    told: list[tuple[object, ...]] = []

    class EnoughError(BaseException):
        """No error that the command line would make a line of."""

    def load(*arguments: object, **_: object) -> variant.Variant:
        if not any(arguments[1:2]):
            return variant.Variant("stock", "", ())
        told.append(arguments[1:])
        raise EnoughError

    monkeypatch.setattr(variant, "load", load)
    with pytest.raises(EnoughError):
        cli.run([*words, "--patch", "p.patch", "--fuzz", "2", "--define", "x", "--define", "y=1"])
    assert told == [((Path("p.patch"),), 2, ("x", "y=1"), "z3fold")]
