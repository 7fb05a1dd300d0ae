"""Our own lock's call sites, in an object that the test assembles."""

from pathlib import Path

import pytest
from compiling import compiled

from z3trace.errors import CannotTraceError
from z3trace.probing import ownlock, siteclasses
from z3trace.probing.choice import ALL_CPUS, Choice

_ROOM, _BRANCH = '"  mov $0, %ecx\\n"', '"  jmp 1f\\n1:\\n"'


def _function(name: str, *between: str, take: str = "_raw_spin_lock") -> str:
    return (
        f'".type {name}, @function\\n{name}:\\n"'
        '"  push %rbx\\n  mov %rdi, %rbx\\n  mov %rbx, %rdi\\n"'
        f'"  call {take}\\n"{"".join(between)}'
        '"  mov %rbx, %rdi\\n  call _raw_spin_unlock\\n  pop %rbx\\n  ret\\n"'
    )


def _module(directory: Path, *functions: str) -> Path:
    return compiled(f'asm(".text\\n"{"".join(functions)});', directory)


@pytest.fixture
def module(tmp_path: Path) -> Path:
    return _module(
        tmp_path,
        _function("work", _ROOM),
        _function("bench_own_jump", _ROOM, _ROOM),
        _function("bench_own_trap", _BRANCH),
        _function("bench_own_jump_trap", _ROOM, _BRANCH),
        _function("bench_own_trap_jump", _BRANCH, _ROOM),
    )


def test_a_hold_is_named_by_how_its_two_probes_are_run(module: Path) -> None:
    plan = ownlock.plan(module, Choice(slow_paths=True))
    names = {site.function: plan.certain[site.number] for site in plan.sites}
    assert names == {
        "bench_own_jump": "own-jump",
        "bench_own_trap": "own-trap",
        "bench_own_jump_trap": "own-jump-trap",
        "bench_own_trap_jump": "own-trap-jump",
    }
    assert plan.locks[0].name == "other"
    assert {lock.name for lock in plan.locks[1:]} == set(names.values())
    assert all(len(lock.name) <= 16 for lock in plan.locks)


def test_the_two_events_of_a_hold_of_nothing_have_two_probes(module: Path) -> None:
    """One for both would show a hold of 0."""
    plan = ownlock.plan(module, Choice(slow_paths=True))
    probes = plan.code.alone(plan.certain.keys(), attempts=False)
    served = [(p.position.after, p.position.before) for p in probes]
    assert len(served) == 8
    assert all(None in pair for pair in served)


def test_no_operation_and_no_pool_is_needed(module: Path) -> None:
    plan = ownlock.plan(module, Choice(slow_paths=True))
    assert (plan.operations, plan.rules) == ([], [])
    numbers = {site.number for site in plan.sites}
    assert siteclasses.of(plan).fixed("").keys() == numbers


def test_in_the_lock_functions_all_holds_are_alike(module: Path) -> None:
    plan = ownlock.plan(module, Choice(lock_mode="function"))
    assert set(plan.certain.values()) == {"own-function"}


def test_a_function_of_which_one_call_has_no_probe_is_left_out(tmp_path: Path) -> None:
    """It releases nothing, and behind the jump to a lock function nothing runs."""
    hidden = (
        '".type bench_own_odd, @function\\nbench_own_odd:\\n"'
        '"  call _raw_spin_lock\\n  mov $0, %ecx\\n  jmp _raw_spin_lock\\n"'
    )
    plan = ownlock.plan(
        _module(tmp_path, _function("bench_own_jump", _ROOM, _ROOM), hidden),
        Choice(slow_paths=True),
    )
    assert {site.function for site in plan.sites} == {"bench_own_jump"}


def test_a_module_without_the_lock_is_said(tmp_path: Path) -> None:
    with pytest.raises(CannotTraceError, match="has no lock of its own"):
        ownlock.plan(_module(tmp_path, _function("work", _ROOM)), Choice())


def test_our_lock_is_probed_as_the_target_and_for_every_thread() -> None:
    wanted = Choice(lock_mode="hybrid", slow_paths=True, process=7, processors=1, only_inside=True)
    chosen = ownlock.choice(wanted)
    assert (chosen.lock_mode, chosen.slow_paths, chosen.operations) == ("hybrid", True, False)
    assert not chosen.filtered
    assert chosen.processors == ALL_CPUS
