"""A kernel's tree that builds in a second: what a build leaves is there, and is small."""

from pathlib import Path

from z3trace.kernels import fragment

RELEASE = "6.1.9"
SOURCE = "int zs_malloc(void)\n{\n\treturn 1;\n}\n"
# What kbuild leaves in the directory of objects, of which each file goes by the time of its
# source as with make itself; "LINK" in the log tells that vmlinux was made anew.
_MAKEFILE = """\
allnoconfig:
\tcp $(KCONFIG_ALLCONFIG) $(O)/.config
olddefconfig:
\ttest -s $(O)/.config
bzImage: $(O)/vmlinux
modules: $(O)/x.ko
$(O)/x.ko: mm/x.c
\t$(CC) -g -c $< -o $@
\techo x.ko > $(O)/modules.order
\ttouch $(O)/modules.builtin $(O)/Module.symvers
$(O)/vmlinux: mm/zsmalloc.c
\t@echo LINK
\tmkdir -p $(O)/arch/x86/boot $(O)/include/config $(O)/include/generated $(O)/scripts
\t$(CC) -g -c $< -o $@
\tcp $@ $(O)/arch/x86/boot/bzImage
\techo {release} > $(O)/include/config/kernel.release
\techo '#define UTS_RELEASE "{release}"' > $(O)/include/generated/utsrelease.h
\techo 'int main(void) {{ return 0; }}' > $(O)/scripts/tool.c
\tln -s /etc/passwd $(O)/include/generated/linked.h || true
"""


#: Of the tree's allocator: one line.
PATCH = """\
--- a/mm/zsmalloc.c
+++ b/mm/zsmalloc.c
@@ -1,4 +1,4 @@
 int zs_malloc(void)
 {
-\treturn 1;
+\treturn 2;
 }
"""


def _written(home: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return home


def make(home: Path) -> Path:
    """A tree in the directory *home*, which is made."""
    files = {
        "Makefile": _MAKEFILE.format(release=RELEASE),
        "Kconfig": "",
        "Kbuild": "",
        "scripts/Kbuild.include": "",
        "arch/x86/Makefile": "",
        "include/linux/zsmalloc.h": "int zs_malloc(void);\n",
        "mm/internal.h": "",
        "mm/zsmalloc.c": SOURCE,
        "mm/x.c": "int x;\n",
    }
    return _written(home, files)


def built(home: Path) -> Path:
    """A tree that was built in itself."""
    make(home)
    files = {
        ".config": fragment.text(),
        "vmlinux": "elf",
        "arch/x86/boot/bzImage": "image",
        "include/config/kernel.release": f"{RELEASE}\n",
        "Module.symvers": "",
    }
    return _written(home, files)
