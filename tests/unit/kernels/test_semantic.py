"""What in a semantic patch is code."""

import time

import pytest
from hostile import SEMANTIC, Prey

from z3trace import paths
from z3trace.errors import InputError
from z3trace.kernels.semantic import looks_like, must_be_plain, virtual

#: These hold no code and stay: an include that is added to the C code, and letters that are
#: none of Coccinelle's words.
PLAIN = {"include in code", "bytes"}


@pytest.mark.parametrize("name", sorted(SEMANTIC.keys() - PLAIN))
def test_code_is_refused_in_every_form(name: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    text = SEMANTIC[name](Prey(tmp_path / "canary", 1, 1))
    with pytest.raises(InputError, match=r"^p\.cocci holds a script rule, an include or spatch"):
        must_be_plain("p.cocci", text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "// This script changes a lock: see script 2\n@@ @@\n-a();\n+b();\n",
        "@script@ @@\n-initialize(e);\n+finalize(e, script);\n",
        "virtual patch\n\n@depends on patch@ @@\n-using(a);\n+a->script = 1;\n",
        "@@ @@\n #include <linux/a.h>\n+#include <linux/b.h>\n",
        '@@ @@\n-printk("script");\n+printk("finalize");\n',
        "@@ @@\n-subscript: a;\n+scripts: a;\n",
        "",
        "/* no end",
        "@" * 100_000,
    ],
)
def test_what_is_no_code_stays(text: str) -> None:
    must_be_plain("p.cocci", text.encode())


def test_the_place_is_told() -> None:
    with pytest.raises(InputError, match=r"'script' on line 3"):
        must_be_plain("p.cocci", b"@@ @@\n\n@script:python@\n@@\n")


def test_shipped_semantic_patches_are_plain() -> None:
    shipped = sorted((paths.testbed() / "variants").glob("*.cocci"))
    assert shipped
    for path in shipped:
        must_be_plain(path.name, path.read_bytes())


def test_a_long_patch_takes_no_longer_than_its_length() -> None:
    began = time.process_time()
    for unit in ("script/*", "script//", "script ", "script/", " ", "@@ @@\n#", "\n"):
        must_be_plain("p.cocci", (unit * (128 << 10))[: 128 << 10].encode())
    assert time.process_time() - began < 5
    with pytest.raises(InputError, match="larger than 128 KiB"):
        must_be_plain("p.cocci", b"\n" * ((128 << 10) + 1))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("virtual patch\n\n@depends on patch@ @@\n-a();\n+b();\n", {"patch": False}),
        (
            "virtual patch, context\nvirtual  org ,report\n@@ @@\n-a();\n",
            "patch context org report",
        ),
        ("/* virtual no */ // virtual not\nvirtual\n yes\n@@ @@\n-virtual x;\n", {"yes": False}),
        ("@r@ identifier virtual.f; @@\n-f();\n", {"f": True}),
        ("virtual patch\n@r@ identifier virtual . f; @@\n-f();\n", {"patch": False, "f": True}),
        ("@@ @@\n-a();\n+b(); // virtual patch\n", {}),
        ("virtual", {}),
    ],
)
def test_what_is_left_to_the_command_line(text: str, names: dict[str, bool] | str) -> None:
    wanted = dict.fromkeys(names.split(), False) if isinstance(names, str) else names
    assert virtual(text.encode()) == wanted


@pytest.mark.parametrize("text", ["@@ @@\n-a;\n", "// x\n@ r @\n@@\n", "@r depends on x@\n@@\n"])
def test_rules_are_known_without_a_name(text: str) -> None:
    assert looks_like(text.encode())


@pytest.mark.parametrize("text", ["", "x", "--- a\n+++ b\n@@ -1 +1 @@\n", "@@@ -1 -1 +1 @@@\n"])
def test_a_diff_is_none(text: str) -> None:
    assert not looks_like(text.encode())
