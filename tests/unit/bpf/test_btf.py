"""The types of the kernel that runs here, where it tells them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from z3trace.bpf import btf, libbpf


@pytest.fixture
def types() -> Iterator[btf.KernelTypes]:
    if not (Path("/sys/kernel/btf/vmlinux").exists() and libbpf.available()):
        pytest.skip("this kernel has no BTF, or this machine no libbpf")
    known = btf.KernelTypes()
    yield known
    known.close()


def test_members_have_their_offsets(types: btf.KernelTypes) -> None:
    assert types.members("list_head") == {"next": 0, "prev": 8}
    assert types.size("list_head") == 16


def test_bit_fields_have_the_offset_of_their_byte(types: btf.KernelTypes) -> None:
    """Of struct iphdr: ihl and version are four bits each, tos the byte behind them."""
    members = types.members("iphdr")
    assert (members["ihl"], members["version"], members["tos"]) == (0, 0, 1)


def test_what_is_not_there_is_nothing(types: btf.KernelTypes) -> None:
    assert types.members("z3trace_none") == {}
    assert types.size("z3trace_none") == 0
    assert types.function("z3trace_none") is None
    assert types.arguments("z3trace_none") is None
    assert types.first_argument("z3trace_none") == ""


def test_functions_tell_their_arguments(types: btf.KernelTypes) -> None:
    assert types.arguments("vfs_read") == 4
    assert types.first_argument("vfs_read") == "file"
    assert types.first_argument("kfree") == ""  # const void *


def test_locks_are_members_of_known_types(types: btf.KernelTypes) -> None:
    locks = types.lock_members()
    offset = types.members("task_struct")["pi_lock"]
    assert btf.LockMember("task_struct", "pi_lock", "spinlock", offset) in locks
    assert offset > 0
    assert ("fs_struct", "seq") not in {(lock.structure, lock.member) for lock in locks}
    assert {lock.kind for lock in locks} == {"spinlock", "rwlock"}


def test_a_module_without_types_is_an_error_and_its_members_are_none() -> None:
    assert btf.members("list_head", "z3trace_none") == {}
