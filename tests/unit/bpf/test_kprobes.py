"""What tracefs says of kprobe events, and what the kernel says when it refuses one."""

import errno

import pytest

from z3trace.bpf import kprobes
from z3trace.bpf.kprobes import Profile

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
