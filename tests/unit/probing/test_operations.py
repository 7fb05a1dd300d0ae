"""Operations by trampolines where the kernel has all of them, else by kprobes."""

import errno
import os
from typing import Any

import fakes
import pytest

from z3trace.bpf import layout, libbpf
from z3trace.probing import operations
from z3trace.probing.choice import Choice
from z3trace.target.definition import OperationRule, Target


def _attach(
    programs: Any, attachments: Any, choice: Choice, target: Target = fakes.TARGET
) -> tuple[Any, list[int]]:
    plan = fakes.plan(target=target)
    return operations.attach(attachments, programs, plan, fakes.address, choice)


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> fakes.Types:
    known = fakes.Types({"my_alloc": 2, "my_free": 1})
    monkeypatch.setattr(operations, "KernelTypes", lambda name: known)
    return known


@pytest.fixture
def parts() -> tuple[Any, Any]:
    return fakes.Programs(), fakes.Attachments()


def test_trampolines_exits_before_entries(types: fakes.Types, parts: tuple[Any, Any]) -> None:
    programs, attachments = parts
    made, trampolines = _attach(*parts, Choice())
    assert [op.method for op in made] == ["trampoline"] * 2
    assert attachments.log == [("trace", libbpf.FEXIT)] * 2 + [("trace", libbpf.FENTRY)] * 2
    name, patches, identity = programs.loaded[1]
    assert (name, identity) == ("operation_fexit", types.function("my_free"))
    assert patches == {
        layout.PATCH_OPERATION: 1,
        layout.PATCH_RESULT_RULE: layout.NO_RESULT,
        layout.PATCH_ARGUMENT: 0,
    }
    assert programs.still_open() == trampolines
    for fd in trampolines:
        os.close(fd)


@pytest.mark.parametrize("known", [{"my_alloc": 2}, {"my_alloc": 0, "my_free": 1}])
def test_all_by_kprobes_if_one_function_does_not_suit(
    types: fakes.Types, parts: tuple[Any, Any], known: dict[str, int]
) -> None:
    types.known = known  # one is not there; one has no argument to read the pool from
    programs, attachments = parts
    made, trampolines = _attach(*parts, Choice())
    assert (trampolines, [op.method for op in made]) == ([], ["kprobe"] * 2)
    assert types.closed
    alloc = hex(fakes.address(fakes.TEXT, 0))
    assert attachments.log[:4] == [
        ("define", "return_0", alloc, True),
        ("define", "entry_0", alloc, False),
        ("enable", "return_0"),
        ("enable", "entry_0"),
    ]
    assert [name for name, *_ in programs.loaded] == ["operation_return", "operation_entry"] * 2


def test_an_operation_of_several_functions_is_probed_at_each(
    types: fakes.Types, parts: tuple[Any, Any]
) -> None:
    """BTF knows one of a name, and of an address an event can have one alone."""
    programs, attachments = parts
    code = fakes.Code(further={"my_free": (fakes.TEXT, 1024)})
    made, trampolines = operations.attach(
        attachments, programs, fakes.plan(code), fakes.address, Choice()
    )
    assert (trampolines, [op.method for op in made]) == ([], ["kprobe"] * 2)
    first, second = (hex(fakes.address(fakes.TEXT, at)) for at in (512, 1024))
    assert attachments.log[4:] == [
        ("define", "return_1", first, True),
        ("define", "entry_1", first, False),
        ("define", "return_1_1", second, True),
        ("define", "entry_1_1", second, False),
        *(("enable", "return_1"), ("enable", "return_1_1")),
        *(("enable", "entry_1"), ("enable", "entry_1_1")),
    ]
    assert made[1].symbol == "my_free (2 functions)"


def test_an_operation_without_a_pool_suits_any_trampoline(parts: tuple[Any, Any]) -> None:
    target = Target(
        name="my",
        module="mine",
        operations={"alloc": OperationRule(functions=["my_alloc"], arguments=[])},
    )
    (op,) = fakes.plan(target=target).operations
    assert operations._suits(fakes.any_fake(fakes.Types({"my_alloc": 0})), op)


def test_a_refused_trampoline_means_kprobes_and_leaves_nothing_open(
    types: fakes.Types, parts: tuple[Any, Any]
) -> None:
    programs, _ = parts
    programs.refused = {"operation_fentry"}
    made, trampolines = _attach(*parts, Choice())
    assert (trampolines, {op.method for op in made}) == ([], {"kprobe"})
    assert len(programs.opened) == 2
    assert programs.still_open() == []


def test_trampolines_that_do_not_attach_are_closed(types: fakes.Types) -> None:
    programs: Any = fakes.Programs()
    attachments: Any = fakes.Attachments({"trace": errno.EBUSY})
    with pytest.raises(OSError, match="no trampoline"):
        _attach(programs, attachments, Choice())
    assert len(programs.opened) == 4
    assert programs.still_open() == []


def test_runs_with_lock_probes_alone_see_the_pool_only(parts: tuple[Any, Any]) -> None:
    programs, attachments = parts
    made, _ = _attach(*parts, Choice(operations=False))
    assert all(op.attached for op in made)
    assert "operation_entry" not in [name for name, *_ in programs.loaded]
    assert [entry[:2] for entry in attachments.log] == [
        ("define", "entry_0"),
        ("enable", "entry_0"),
        ("define", "entry_1"),
        ("enable", "entry_1"),
    ]


def test_what_is_refused_or_missing_says_why(types: fakes.Types) -> None:
    types.known = {}
    attachments: Any = fakes.Attachments({"entry_0": errno.EINVAL})
    rules = {**fakes.TARGET.operations, "map": OperationRule(functions=["my_map"], optional=True)}
    target = Target(name="my", module="mine", operations=rules)
    made, _ = _attach(fakes.Programs(), attachments, Choice(), target)
    alloc, free, missing = made
    assert (alloc.attached, alloc.method) == (False, "")
    assert "notrace" in alloc.reason
    assert (free.attached, free.method) == (True, "kprobe")
    assert (missing.name, missing.attached) == ("map", False)
    assert "none of my_map is there" in missing.reason
