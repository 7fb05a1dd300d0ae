"""What the halves of a verb tell each other; a guest's side of it comes from a stranger."""

from pathlib import Path

import msgspec
import pytest

from z3trace.commands import progress
from z3trace.errors import InputError
from z3trace.guest.spec import PROGRESS, CheckSpec, PairProgress, PairSide, PairSpec, load

CHECK = CheckSpec(
    target="z3fold",
    label="x",
    module="",
    workload="zpool-bench",
    lock_mode="hybrid",
    seed=1,
    hold=2.0,
    wait=2.0,
    keep_paths=False,
    command=["z3trace"],
    output="check.z3c",
    identity="0123",
)
PAIR = PairSpec(
    target="z3fold",
    workload="zpool-bench",
    runs={"none": 4, "timed+lock:page": 2},
    seed=1,
    lock_mode="callsite",
    waits="slow-path",
    calibrate=True,
    keep_paths=False,
    command=["z3trace"],
    sides=[PairSide(label="a", module="a.ko", timed="", output="before.z3t")],
)


@pytest.mark.parametrize("spec", [CHECK, PAIR])
def test_a_specification_is_read_as_it_was_written(
    spec: CheckSpec | PairSpec, tmp_path: Path
) -> None:
    (tmp_path / "spec.json").write_bytes(msgspec.json.encode(spec))
    assert load(tmp_path / "spec.json", type(spec)) == spec


def test_one_kind_is_not_taken_for_another(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_bytes(msgspec.json.encode(PAIR))
    with pytest.raises(InputError, match="is not a CheckSpec"):
        load(tmp_path / "spec.json", CheckSpec)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[",
        b'{"done": -1, "total": 1, "doing": ""}',
        b'{"done": 1, "total": 99999999999, "doing": ""}',
        b'{"done": 1, "total": 1, "doing": "' + b"x" * 5000 + b'"}',
        b'{"done": 1, "total": 1, "doing": "\xff"}',
        b"[" * 4000,
        b'{"done": ' + b"9" * 4000 + b', "total": 1, "doing": ""}',
    ],
)
def test_progress_that_is_none_is_no_error(text: bytes, tmp_path: Path) -> None:
    (tmp_path / PROGRESS).write_bytes(text)
    assert progress._state(tmp_path) is None


def test_progress_is_plain_text_in_the_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from io import StringIO

    import rich.console

    screen = StringIO()
    plain = rich.console.Console
    monkeypatch.setattr(
        rich.console,
        "Console",
        lambda **_: plain(file=screen, force_terminal=True, width=200, color_system=None),
    )
    state = PairProgress(done=1, total=2, doing="[bold]x[/bold] [link=http://x]y[/link]")
    (tmp_path / PROGRESS).write_bytes(msgspec.json.encode(state))
    with progress._bar("recording") as look:
        look(tmp_path)
    assert "[bold]x[/bold] [link=http://x]y[/link]" in screen.getvalue()


def test_progress_obeys_nothing(tmp_path: Path) -> None:
    state = PairProgress(done=1, total=2, doing="\x1b]0;title\x07\nforged line\u202e")
    (tmp_path / PROGRESS).write_bytes(msgspec.json.encode(state))
    shown = progress._state(tmp_path)
    assert shown
    assert shown.doing == "\\x1b]0;title\\x07\\nforged line\\u202e"
