"""A module of several files: found by its Makefile, patched as a whole, built as itself."""

from pathlib import Path

import pytest
from mails import git

from z3trace.errors import CannotTraceError, InputError
from z3trace.kernels import base, build, manyfiles, reviewed
from z3trace.kernels.layout import Kernel

SOURCE = "drivers/x/main.c"
FILES = {
    "drivers/x/Makefile": "obj-$(CONFIG_X) += my-x.o other.o\nmy-x-objs := main.o \\\n\tlib/two.o\n"
    "my-x-$(CONFIG_MORE) += three.o\nccflags-y := -DOWN=3\n",
    SOURCE: '#include "x.h"\nint two(void);\nint one(void)\n{\n\treturn two() + OWN;\n}\n',
    "drivers/x/x.h": "#define X 1\n",
    "drivers/x/lib/two.c": '#include "../x.h"\nint two(void)\n{\n\treturn X;\n}\n',
    "drivers/x/notes.txt": "not needed\n",
    "mm/other.c": "int other;\n",
}
PATCH = """\
diff --git a/drivers/x/lib/two.c b/drivers/x/lib/two.c
--- a/drivers/x/lib/two.c
+++ b/drivers/x/lib/two.c
@@ -1,5 +1,5 @@
 #include "../x.h"
 int two(void)
 {
-\treturn X;
+\treturn X + Y;
 }
diff --git a/drivers/x/x.h b/drivers/x/x.h
--- a/drivers/x/x.h
+++ b/drivers/x/x.h
@@ -1 +1,2 @@
 #define X 1
+#define Y 2
"""
#: What is asked of the kernel's build: to read Kbuild, and to link the parts of the module.
KBUILD = """\
src := $(M)
CONFIG_X := m
include $(M)/Kbuild
name := $(obj-m:.o=)
modules:
\ttest "$(name)" = my-x
\tcd $(M) && gcc -g $(ccflags-y) -r -o $(name).ko $(patsubst %.o,%.c,$($(name)-objs))
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "linux"
    for name, text in FILES.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    return tree


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "cache"))
    made = Kernel(tmp_path / "kernel", "6.1.0-9-amd64", "6.1.9-1")
    made.headers.mkdir(parents=True)
    (made.headers / "Makefile").write_text(KBUILD)
    return made


def _base(tree: str, kernel: Kernel, module: str = "my_x") -> base.Base:
    return base.resolve(tree, kernel, SOURCE, print, module=module)


def test_a_makefile_says_of_what_a_module_is_made() -> None:
    text = FILES["drivers/x/Makefile"].encode()
    assert manyfiles.made_of_many(text, "my_x", alone=False) == "my-x"
    assert manyfiles.made_of_many(text, "other", alone=False) == ""
    assert manyfiles.made_of_many(text, "other", alone=True) == "other"
    assert manyfiles.made_of_many(text, "x", alone=True) == ""


def test_all_of_the_module_is_taken_from_a_tree_and_from_a_commit(
    tree: Path, kernel: Kernel
) -> None:
    wanted = {name: text.encode() for name, text in FILES.items() if name[-4:] != ".txt"}
    del wanted["mm/other.c"]
    found = _base(str(tree), kernel)
    assert (found.many, found.files) == ("my-x", wanted)
    git(tree, "init", "-q")
    git(tree, "add", ".")
    git(tree, "commit", "-q", "-m", "one")
    (tree / SOURCE).write_text("changed since\n")
    found = _base(f"{tree}@HEAD", kernel)
    assert (found.many, found.files) == ("my-x", wanted)


def test_what_a_link_leads_to_outside_of_the_tree_is_none_of_it(
    tree: Path, kernel: Kernel, tmp_path: Path
) -> None:
    (tmp_path / "secret.c").write_text("secret\n")
    (tree / "drivers/x/s.c").symlink_to(tmp_path / "secret.c")
    (tree / "drivers/x/d").symlink_to(tmp_path)
    assert not [name for name in _base(str(tree), kernel).files if "/s.c" in name or "/d" in name]


def test_a_tree_with_more_than_a_module_has_is_refused(tree: Path, kernel: Kernel) -> None:
    for number in range(301):
        (tree / f"drivers/x/f{number}.h").write_text("\n")
    with pytest.raises(InputError, match="more files than a module has"):
        _base(str(tree), kernel)


def test_a_patch_of_its_files_is_built_with_the_makefile_of_its_tree(
    tree: Path, kernel: Kernel, tmp_path: Path
) -> None:
    (tmp_path / "p.patch").write_text(PATCH)
    pair = reviewed.pair(kernel, SOURCE, _base(str(tree), kernel), [tmp_path / "p.patch"], print)
    assert {line.path for text in pair.texts for line in text.lines} == {
        *("drivers/x/lib/two.c", "drivers/x/x.h")
    }
    assert pair.after.files["drivers/x/x.h"] == b"#define X 1\n#define Y 2\n"
    modules = [
        build.build_variant(kernel, SOURCE, each, print) for each in (pair.before, pair.after)
    ]
    assert {module.path.name for module in modules} == {"my-x.ko"}
    assert modules[0].digest != modules[1].digest
    built = modules[1].path.parent
    assert (built / "lib/two.c").read_text().count("X + Y") == 1
    assert not list(built.rglob("*.o"))


def test_somebodys_makefile_runs_in_the_box_only(tree: Path, kernel: Kernel) -> None:
    found = _base(str(tree), kernel)
    chosen = base.variant_of(str(tree), kernel, SOURCE, print, module="my_x")
    assert chosen.many == found.many
    with pytest.raises(CannotTraceError, match="in the box only"):
        build.build_variant(kernel, SOURCE, chosen, print, boxed=False)
    with pytest.raises(InputError, match="of several files"):
        build.build_variant(kernel, SOURCE, chosen, print, timed=True)


def test_a_makefile_in_the_box_sees_no_file_of_its_user(
    tree: Path, kernel: Kernel, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("0xcafe")
    makefile = tree / "drivers/x/Makefile"
    makefile.write_text(f"{makefile.read_text()}$(shell touch {tmp_path}/canary)\n"
                        f"ccflags-y += -DS=$(shell cat {tmp_path}/secret || echo 7)\n")  # fmt: skip
    chosen = base.variant_of(str(tree), kernel, SOURCE, print, module="my_x")
    module = build.build_variant(kernel, SOURCE, chosen, print)
    assert "0xcafe" not in (module.path.parent / "build.log").read_text()
    assert not (tmp_path / "canary").exists()


def test_a_directory_of_the_module_alone_has_a_makefile_too(kernel: Kernel, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "Makefile").write_text("obj-m += main.o\nall:\n\tmake -C /lib/modules M=$(PWD)\n")
    (own / "main.c").write_text('#include "m.h"\n')
    (own / "m.h").write_text("\n")
    found = base.resolve(str(own), kernel, "main.c", print, module="main")
    assert (found.many, set(found.files)) == ("main", {"Makefile", "main.c", "m.h"})
