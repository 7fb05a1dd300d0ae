"""Which slow paths a kernel has, and what is done where it has none."""

import os
from typing import Any

import fakes
import pytest

from z3trace.bpf import libbpf
from z3trace.probing import slowpath
from z3trace.probing.choice import Choice

READ_WRITE = ("queued_read_lock_slowpath", "queued_write_lock_slowpath")
NATIVE, PARAVIRTUAL = "native_queued_spin_lock_slowpath", "__pv_queued_spin_lock_slowpath"


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets a kernel's symbols and those of them that its BTF has."""

    def have(*names: str, without_types: str = "") -> Any:
        monkeypatch.setattr(slowpath, "kernel_functions", lambda _: dict.fromkeys(names, (1, 2)))
        types = fakes.Types({name: 2 for name in names if name != without_types})
        monkeypatch.setattr(slowpath, "KernelTypes", lambda: types)
        return types

    return have


def test_all_that_a_kernel_has_by_its_configuration(kernel: Any) -> None:
    types = kernel(NATIVE, PARAVIRTUAL, *READ_WRITE)
    assert slowpath.functions(types) == [NATIVE, PARAVIRTUAL, *READ_WRITE]


@pytest.mark.parametrize("missing", [NATIVE, *READ_WRITE])
def test_none_if_a_kind_of_lock_has_none(kernel: Any, missing: str) -> None:
    names = [name for name in (NATIVE, *READ_WRITE) if name != missing]
    assert slowpath.functions(kernel(*names)) == []


def test_none_if_one_cannot_be_traced(kernel: Any) -> None:
    assert slowpath.functions(kernel(NATIVE, *READ_WRITE, without_types=NATIVE)) == []


def test_each_gets_a_trampoline(kernel: Any) -> None:
    types = kernel(NATIVE, *READ_WRITE)
    programs: Any = fakes.Programs()
    attachments: Any = fakes.Attachments()
    descriptors = slowpath.trace(attachments, programs)
    assert attachments.log == [("trace", libbpf.FENTRY)] * 3
    assert [identity for _, _, identity in programs.loaded] == [1, 2, 3]
    assert programs.still_open() == descriptors
    assert types.closed
    for fd in descriptors:
        os.close(fd)


def test_without_them_waits_are_seen_at_the_call_sites_and_that_is_said(
    kernel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel(NATIVE)
    attachments = fakes.Attachments()
    monkeypatch.setattr(slowpath, "Attachments", lambda: attachments)
    said: list[str] = []
    settled = slowpath.settled(
        Choice(slow_paths=True), fakes.any_fake(fakes.Programs()), said.append
    )
    assert not settled.slow_paths
    assert "no slow paths that can be traced" in said[0]
    assert attachments.closed


def test_a_choice_that_works_is_left_alone_and_nothing_stays_open(
    kernel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel(NATIVE, *READ_WRITE)
    monkeypatch.setattr(slowpath, "Attachments", fakes.Attachments)
    programs: Any = fakes.Programs()
    choice = Choice(slow_paths=True)
    assert slowpath.settled(choice, programs, pytest.fail) == choice
    assert len(programs.opened) == 3
    assert programs.still_open() == []
