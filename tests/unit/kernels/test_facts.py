"""Debug information that a stranger's source made the compiler write."""

import json
import subprocess
from pathlib import Path

import pytest

from z3trace.errors import InputError
from z3trace.kernels import facts

CODE = "struct s {\n\tint first, second;\n};\nint a(struct s *s)\n{\n\treturn s->second;\n}\n"


def _module(directory: Path, section: str = "", content: str = "", flags: str = "") -> Path:
    """A module whose source adds *content* to a section."""
    lines = [
        f'.section {section},"{flags}",@progbits{",1" if "M" in flags else ""}',
        *content.split("\n"),
        ".previous",
    ]
    text = "".join(f"asm({json.dumps(line)});\n" for line in lines) if section else ""
    (directory / "x.c").write_text(text + CODE)
    path = directory / "x.ko"
    command = ["gcc", "-g", "-c", "-o", path, directory / "x.c"]
    subprocess.run(command, check=True, capture_output=True)
    return path


def test_structures_of_the_source_are_kept(tmp_path: Path) -> None:
    facts.write(_module(tmp_path), ["x.c"])
    kept = json.loads((tmp_path / "facts.json").read_text())
    assert kept == {"structs": {"s": {"first": 0, "second": 4}}, "places": {}}


@pytest.mark.parametrize(
    ("section", "content"),
    [
        (".debug_info", ".fill 4096,1,0xff"),
        (".debug_info", ".fill 4096,1,0"),
        (".debug_info", ".rept 3000\n.long 7\n.short 4\n.long 0\n.byte 8\n.endr"),
        (".debug_info", ".long 0x7fffffff"),
    ],
)
def test_damaged_debug_information_is_said(tmp_path: Path, section: str, content: str) -> None:
    path = _module(tmp_path, section, content)
    with pytest.raises(InputError, match=r"the debug information of x\.ko is damaged: \S"):
        facts.write(path, ["x.c"])
    assert not (tmp_path / "facts.json").exists()


def test_packed_debug_information_is_not_unpacked(tmp_path: Path) -> None:
    path = _module(tmp_path, ".zdebug_info", '.ascii "ZLIB"\n.fill 64,1,1')
    with pytest.raises(InputError, match="packed"):
        facts.write(path, ["x.c"])
    path = _module(tmp_path)
    subprocess.run(["objcopy", "--compress-debug-sections", path], check=True)
    with pytest.raises(InputError, match="packed"):
        facts.write(path, ["x.c"])


def test_a_flood_of_debug_information_is_not_read(tmp_path: Path) -> None:
    path = _module(tmp_path, ".debug_info", ".fill 9000000,1,0")
    with pytest.raises(InputError, match="larger than 8 MiB"):
        facts.write(path, ["x.c"])


@pytest.mark.parametrize(
    ("section", "content", "reason"),
    [
        (".debug_rnglists", ".fill 300000,1,3", "more than 256 KiB of ranges"),
        (".debug_ranges", ".fill 300000,1,3", "more than 256 KiB of ranges"),
        (".debug_str", ".fill 5000,1,97", "endless names"),
        (".debug_line_str", ".fill 5000,1,97", "endless names"),
    ],
)
def test_what_every_entry_may_share_is_short(
    tmp_path: Path, section: str, content: str, reason: str
) -> None:
    """The library reads it again for each of them."""
    path = _module(tmp_path, section, content, "MS" if section.endswith("str") else "")
    with pytest.raises(InputError, match=reason):
        facts.write(path, ["x.c"])
