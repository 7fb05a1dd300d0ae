"""What tracefs says of kprobe events, and what the kernel says when it refuses one."""

import errno
from pathlib import Path

import pytest

from z3trace.bpf import groups, kprobes
from z3trace.bpf.groups import Owner
from z3trace.bpf.kprobes import Profile
from z3trace.errors import InputError

_PROFILE = """\
  lock                                                        120               3
  lock                                                         80               0
  return_0                                                      7               0
  somebody_elses                                              999               9
  entry_0                                                       0
"""
_LIST = """\
ffffffffc0401005  k  z3fold_alloc+0x5  [z3fold][OPTIMIZED]
ffffffffc0401020  k  z3fold_alloc+0x20  [z3fold]
ffffffffc0401030  k  z3fold_free+0x0  [z3fold][FTRACE]
ffffffffc0401040  k  z3fold_free+0x10  [z3fold][DISABLED][OPTIMIZED]
"""


def test_an_events_addresses_are_added_up() -> None:
    assert kprobes.profiles(_PROFILE, ["lock", "return_0", "none"]) == {
        "lock": Profile(hits=200, missed=3),
        "return_0": Profile(hits=7, missed=0),
    }


def test_a_line_without_its_figures_is_passed_over() -> None:
    assert kprobes.profiles(_PROFILE, ["entry_0"]) == {}


def test_jumps_are_those_that_the_kernel_calls_optimized() -> None:
    assert kprobes.optimized(_LIST) == {0xFFFFFFFFC0401005, 0xFFFFFFFFC0401040}


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EINVAL, "notrace"),
        (errno.ENOENT, "no such address"),
        (errno.EACCES, "not permitted"),
        (errno.EILSEQ, "start"),
        (errno.EEXIST, "two probes"),
        (errno.ENOMEM, "Cannot allocate memory"),
    ],
)
def test_a_refusal_is_told_in_words(number: int, words: str) -> None:
    assert words in kprobes.refusal(OSError(number, "whatever"))


def test_a_refusal_without_a_number_is_told() -> None:
    assert kprobes.refusal(OSError("no number"))


@pytest.fixture
def tracing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in the place of tracefs' list: what is written to it stands at its end."""
    monkeypatch.setattr(kprobes, "TRACING", tmp_path)
    kprobes._sweep.cache_clear()
    return tmp_path / "kprobe_events"


def test_what_a_dead_process_left_is_removed_at_the_next_start(
    tracing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    me = groups.this_process()
    mine = groups.new_name(me)
    dead = groups.new_name(Owner(me.namespace, me.pid, me.start - 1))
    foreign = groups.new_name(Owner(me.namespace + 1, 1, 1))
    listed = "".join(f"p:{name}/lock vfs_read\n" for name in (mine, dead, foreign, "z3trace_7"))
    tracing.write_text(listed)
    kprobes.EventGroup().close()
    assert tracing.read_text() == f"{listed}-:{dead}/lock\n"
    said = capsys.readouterr().err
    assert f"stay: {foreign}, z3trace_7" in said
    # Once for a process is enough.
    kprobes.EventGroup().close()
    assert capsys.readouterr().err == ""


def test_two_groups_of_one_process_have_two_names(tracing: Path) -> None:
    """As of one process that ended and one that has its number now."""
    tracing.write_text("")
    first, second = kprobes.EventGroup(), kprobes.EventGroup()
    first.define("lock", "vfs_read")
    second.define("lock", "vfs_read")
    first.close()
    assert first.name != second.name
    assert f"-:{second.name}/lock" not in tracing.read_text()
    second.close()


def test_hits_of_another_recording_at_the_same_time_are_not_this_ones(tracing: Path) -> None:
    """The kernel's list names events, and no groups."""
    tracing.write_text("")
    first, second = kprobes.EventGroup(), kprobes.EventGroup()
    for group in (first, second):
        group.define("lock", "vfs_read")
    names = [line.split("/")[1].split()[0] for line in tracing.read_text().splitlines()]
    lines = [f"  {name}  {hits}  0\n" for name, hits in zip(names, (20, 3), strict=True)]
    tracing.with_name("kprobe_profile").write_text("".join(lines))
    assert first.profile() == {"lock": Profile(hits=20, missed=0)}
    assert second.profile() == {"lock": Profile(hits=3, missed=0)}
    first.close()
    second.close()


@pytest.mark.parametrize(
    ("event", "place"),
    [
        ("lock", "m:f+0\np:evil/lock vfs_read"),
        ("lock", "m:f+0 %di"),
        ("lock", "m:f\0+0"),
        ("lock", "m:f\t+0"),
        ("lock", "m n:f+0"),
        ("lock", "m:f\x85+0"),
        ("lock", "f\n"),
        ("lock", ""),
        ("lock b", "vfs_read"),
        ("lock\n", "vfs_read"),
    ],
)
def test_a_definition_is_of_one_line_and_two_words(tracing: Path, event: str, place: str) -> None:
    tracing.write_text("")
    group = kprobes.EventGroup()
    with pytest.raises(InputError, match="no probe can be defined at '"):
        group.define(event, place)
    assert tracing.read_text() == ""
    assert event not in group
    group.close()


@pytest.mark.parametrize(
    "place", ["vfs_read", "0xffffffffc0401020", "z3fold:z3fold_free.isra.0+12", "m:a$b+0"]
)
def test_places_of_all_kinds_are_defined(tracing: Path, place: str) -> None:
    tracing.write_text("")
    group = kprobes.EventGroup()
    group.define("entry_0", place)
    name = f"entry_0_{groups.random_part(group.name)}"
    assert tracing.read_text() == f"p:{group.name}/{name} {place}\n"
    group.close()


def test_a_guard_removes_its_own_groups_events_alone(tracing: Path) -> None:
    tracing.write_text("p:z3trace_1_2/lock vfs_read\np:z3trace_1_23/lock vfs_read\n")
    guard = kprobes._guard("z3trace_1_2")
    assert guard.stdin
    guard.stdin.close()
    guard.wait()
    assert tracing.read_text().splitlines()[2:] == ["-:z3trace_1_2/lock"]
