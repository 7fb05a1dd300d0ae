"""The patches of a variant on their way into a source; more is in test_build.py."""

import json
from pathlib import Path

import pytest
from hostile import CODE, GOOD, SOURCE, diff

from z3trace.kernels.layout import Kernel
from z3trace.kernels.patched import Patches
from z3trace.kernels.variant import Variant

RULES = "virtual a, b\n@depends on a@ @@\n-return 1;\n+return 2;\n"


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    made = Kernel(tmp_path / "kernel", "6.1.0-9-amd64", "6.1.9-1")
    (made.sources / SOURCE).parent.mkdir(parents=True)
    (made.sources / SOURCE).write_text("/* off by one */\n" + CODE)
    return made


def _variant(tmp_path: Path, name: str = "p.patch", **how: object) -> Variant:
    text = RULES if name.endswith(".cocci") else diff(f"a/{SOURCE}", f"b/{SOURCE}", GOOD)
    (tmp_path / name).write_text(text)
    return Variant("stock+p", "", (tmp_path / name,), **how)  # type: ignore[arg-type]


def test_what_decides_is_what_a_module_is_kept_under(tmp_path: Path) -> None:
    def parts(*arguments: str, **how: object) -> list[bytes]:
        return Patches(_variant(tmp_path, *arguments, **how), print).parts

    assert parts() == parts("q.diff")
    assert parts() != parts(fuzz=1)
    assert parts("r.cocci", defines=("a",)) != parts("r.cocci", defines=("b",))


def test_what_was_said_is_said_again_under_the_names_of_now(kernel: Kernel, tmp_path: Path) -> None:
    said: list[str] = []
    work = tmp_path / "work"
    work.mkdir()
    first = Patches(_variant(tmp_path), said.append)
    first.apply(kernel, SOURCE, work, boxed=True)
    assert [path.name for path in work.iterdir()] == ["x.c"]
    assert "return 2;" in (work / "x.c").read_text()
    note = "mm/x.c: hunk 1 is at line 2, 1 line further down, in a()"
    assert said == [f"p.patch: {note}"]
    assert first.record == {"patches": ["p.patch"], "notes": [(0, note)]}
    (work / "variant.json").write_text(json.dumps(first.record))
    Patches(_variant(tmp_path, "q.diff"), said.append).tell_again(work)
    assert said[1:] == [f"q.diff: {note}"]


def test_a_module_of_an_earlier_z3trace_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "variant.json").write_text('{"patches": []}')
    Patches(_variant(tmp_path), pytest.fail).tell_again(tmp_path)
