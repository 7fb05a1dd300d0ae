"""Building a variant, against headers whose Makefile calls the compiler and no more."""

import json
from pathlib import Path

import pytest

from z3trace.errors import InputError, Z3traceError
from z3trace.kernels import build
from z3trace.kernels.layout import Kernel
from z3trace.kernels.variant import Variant

SOURCE = "mm/x.c"
CODE = "int a(void)\n{\n\treturn 1;\n}\n"
STOCK = Variant("stock", "", ())

# What is asked of kbuild: the object that Kbuild names, with its flags, and a lot of files
# that nobody needs.
MAKEFILE = """\
src := $(M)
include $(M)/Kbuild
name := $(obj-m:.o=)
modules:
\tgcc -g -c $(ccflags-y) $(M)/$(name).c -o $(M)/$(name).ko
\ttouch $(M)/$(name).o $(M)/$(name).mod.c $(M)/.$(name).o.cmd $(M)/Module.symvers
"""


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "cache"))
    made = Kernel(tmp_path / "kernel", "6.1.0-9-amd64", "6.1.9-1")
    for path, text in ((made.headers / "Makefile", MAKEFILE), (made.sources / SOURCE, CODE)):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return made


def _silent(_: str) -> None:
    pass


def _patched(tmp_path: Path, value: int, name: str = "p") -> Variant:
    path = tmp_path / f"{name}.cocci"
    path.write_text(f"@@ @@\n-return 1;\n+return {value};\n")
    return Variant(f"stock+{name}", "", (path,))


def test_a_module_is_built_with_what_it_was_made_from(kernel: Kernel, tmp_path: Path) -> None:
    module = build.build_variant(kernel, SOURCE, _patched(tmp_path, 2), _silent)
    directory = module.path.parent
    assert module.path.read_bytes().startswith(b"\x7fELF")
    assert directory.name == f"x-stock+p-{module.digest}"
    assert "return 2;" in (directory / "x.c").read_text()
    record = json.loads((directory / "variant.json").read_text())
    assert record == {
        "variant": "stock+p",
        "digest": module.digest,
        "patches": ["p.cocci"],
        "notes": [],
        "unboxed": False,
        "timed": False,
    }
    assert set(json.loads((directory / "facts.json").read_text())) == {"structs", "places"}
    assert {path.name for path in directory.iterdir()} == {
        *("x.c", "x.ko", "visible.h", "Kbuild", "build.log", "variant.json", "facts.json")
    }


def test_what_is_built_is_built_once(kernel: Kernel) -> None:
    said: list[str] = []
    first = build.build_variant(kernel, SOURCE, STOCK, said.append)
    second = build.build_variant(kernel, SOURCE, STOCK, said.append)
    assert (first.fresh, second.fresh) == (True, False)
    assert first.path == second.path
    assert said == ["building x.ko, variant stock"]


def test_whatever_goes_into_a_module_goes_into_its_digest(kernel: Kernel, tmp_path: Path) -> None:
    chosen = [STOCK, _patched(tmp_path, 2, "a"), _patched(tmp_path, 3, "b")]
    other = Kernel(kernel.directory, kernel.release, "6.1.10-1")
    modules = [build.build_variant(kernel, SOURCE, variant, _silent) for variant in chosen]
    modules.append(build.build_variant(other, SOURCE, STOCK, _silent))
    kernel.source(SOURCE).write_text(CODE.replace("a(void)", "b(void)"))
    modules.append(build.build_variant(kernel, SOURCE, STOCK, _silent))
    assert len({module.digest for module in modules}) == len(modules)


def test_a_patch_of_the_same_content_is_the_same_module(kernel: Kernel, tmp_path: Path) -> None:
    first = build.build_variant(kernel, SOURCE, _patched(tmp_path, 2), _silent)
    (tmp_path / "sub").mkdir()
    second = build.build_variant(kernel, SOURCE, _patched(tmp_path / "sub", 2), _silent)
    assert (second.path, second.fresh) == (first.path, False)


def test_a_label_makes_no_path(kernel: Kernel) -> None:
    module = build.build_variant(kernel, SOURCE, Variant("a/../b c" * 20, "", ()), _silent)
    assert module.variant == "a/../b c" * 20
    assert module.path.parent.name.startswith("x-a_.._b_ca_.._b_c")
    assert module.path.parent.parent.name == kernel.release


@pytest.mark.parametrize("fault", ["patch", "compiler"])
def test_a_build_that_fails_leaves_nothing(kernel: Kernel, tmp_path: Path, fault: str) -> None:
    chosen = _patched(tmp_path, 2)
    if fault == "patch":
        chosen.patches[0].write_text("@@ @@\n-return 7;\n+return 8;\n")
        error, message = InputError, r"p\.cocci changes nothing in mm/x\.c"
    else:
        kernel.source(SOURCE).write_text(CODE + "no C\n")
        error, message = Z3traceError, r"building x\.ko failed"
    with pytest.raises(error, match=message):
        build.build_variant(kernel, SOURCE, chosen, _silent)
    assert list((tmp_path / "cache/modules" / kernel.release).iterdir()) == []


def test_an_unboxed_build_says_so_and_is_another(kernel: Kernel, tmp_path: Path) -> None:
    said: list[str] = []
    chosen = _patched(tmp_path, 2)
    boxed = build.build_variant(kernel, SOURCE, chosen, said.append)
    unboxed = build.build_variant(kernel, SOURCE, chosen, said.append, boxed=False)
    again = build.build_variant(kernel, SOURCE, chosen, said.append, boxed=False)
    assert (boxed.variant, unboxed.variant) == ("stock+p", "stock+p, built unboxed")
    assert unboxed.path != boxed.path
    record = json.loads((unboxed.path.parent / "variant.json").read_text())
    assert (record["unboxed"], record["variant"]) == (True, unboxed.variant)
    assert (again.path, again.variant) == (unboxed.path, unboxed.variant)
    assert sum("outside of a box" in line for line in said) == 2


@pytest.mark.parametrize(
    "line", ['#include "{}"', 'asm(".incbin \\"{}\\"");', '#include "$(shell echo x >> {})"']
)
def test_a_source_reaches_nothing_outside(kernel: Kernel, tmp_path: Path, line: str) -> None:
    canary = tmp_path / "canary"
    canary.write_text("secret\n")
    kernel.source(SOURCE).write_text(line.format(canary) + "\n" + CODE)
    with pytest.raises(Z3traceError, match="No such file|file not found") as raised:
        build.build_variant(kernel, SOURCE, STOCK, _silent)
    assert canary.read_text() == "secret\n"
    assert "secret" not in str(raised.value)


def test_the_packages_are_not_written(kernel: Kernel) -> None:
    makefile = kernel.headers / "Makefile"
    makefile.write_text(makefile.read_text() + "\techo x > here\n\techo x > $(M)/../here\n")
    with pytest.raises(Z3traceError, match="Read-only file system"):
        build.build_variant(kernel, SOURCE, STOCK, _silent)


DIFF = """\
--- a/mm/x.c
+++ b/mm/x.c
@@ -3,4 +3,4 @@
 int a(void)
 {
-\treturn 1;
+\treturn 2;
 }
"""


def _diffs(tmp_path: Path, text: str, name: str = "p.patch", fuzz: int = 0) -> Variant:
    (tmp_path / name).write_text(text)
    return Variant("stock+p", "", (tmp_path / name,), fuzz=fuzz)


def test_what_is_said_of_a_patch_is_said_of_each_use_of_the_module(
    kernel: Kernel, tmp_path: Path
) -> None:
    said: list[str] = []
    build.build_variant(kernel, SOURCE, _diffs(tmp_path, DIFF), said.append)
    note = "p.patch: mm/x.c: hunk 1 is at line 1, 2 lines further up, in a()"
    assert said == ["building x.ko, variant stock+p", note]
    again = build.build_variant(kernel, SOURCE, _diffs(tmp_path, DIFF, "q"), said.append)
    assert said[2:] == [note.replace("p.patch", "q")]
    assert not again.fresh


def test_fuzz_is_part_of_what_a_module_is_made_from(kernel: Kernel, tmp_path: Path) -> None:
    other = DIFF.replace(" int a(void)", " long a(void)")
    with pytest.raises(InputError, match="fits only at line 1, .* with fuzz 1") as raised:
        build.build_variant(kernel, SOURCE, _diffs(tmp_path, other), _silent)
    assert raised.value.hint == "--fuzz 1 puts it there"
    fuzzy = build.build_variant(kernel, SOURCE, _diffs(tmp_path, other, fuzz=1), _silent)
    assert "return 2;" in (fuzzy.path.parent / "x.c").read_text()
    exact = build.build_variant(kernel, SOURCE, _diffs(tmp_path, DIFF), _silent)
    assert exact.digest != fuzzy.digest


def test_a_header_that_a_patch_adds_is_built_with(kernel: Kernel, tmp_path: Path) -> None:
    header = """\
diff --git a/mm/{0}.h b/mm/{0}.h
new file mode 100644
--- /dev/null
+++ b/mm/{0}.h
@@ -0,0 +1,2 @@
+#define VALUE_OF_{0} 42
+
"""
    used = """\
--- a/mm/x.c
+++ b/mm/x.c
@@ -1,4 +1,5 @@
+#include "x_lock.h"
 int a(void)
 {
-\treturn 1;
+\treturn VALUE_OF_x_lock;
 }
"""
    said: list[str] = []
    chosen = _diffs(tmp_path, header.format("x_lock") + header.format("other") + used)
    module = build.build_variant(kernel, SOURCE, chosen, said.append)
    assert (module.path.parent / "x_lock.h").read_text() == "#define VALUE_OF_x_lock 42\n\n"
    assert not (module.path.parent / "other.h").exists()
    assert said[1:] == ["p.patch: left out: mm/other.h, which mm/x.c does not include"]


def test_a_header_of_the_source_package_may_change(kernel: Kernel, tmp_path: Path) -> None:
    kernel.source(SOURCE).with_name("x.h").write_text("#define ONE 1\n")
    kernel.source(SOURCE).write_text('#include "x.h"\n' + CODE.replace("1", "ONE"))
    text = "--- a/mm/x.h\n+++ b/mm/x.h\n@@ -1 +1 @@\n-#define ONE 1\n+#define ONE 11\n"
    cast = "--- a/mm/x.c\n+++ b/mm/x.c\n@@ -3,2 +3,2 @@\n {\n-\treturn ONE;\n+\treturn ONE + 0;\n"
    module = build.build_variant(kernel, SOURCE, _diffs(tmp_path, text + cast), _silent)
    assert (module.path.parent / "x.h").read_text() == "#define ONE 11\n"
    assert kernel.source(SOURCE).with_name("x.h").read_text() == "#define ONE 1\n"


def test_a_patch_makes_no_header_in_the_place_of_another(kernel: Kernel, tmp_path: Path) -> None:
    text = "--- /dev/null\n+++ b/mm/visible.h\n@@ -0,0 +1 @@\n+#error\n"
    with pytest.raises(InputError, match=r"p\.patch makes mm/visible\.h, which is there already"):
        build.build_variant(kernel, SOURCE, _diffs(tmp_path, text + DIFF), _silent)
