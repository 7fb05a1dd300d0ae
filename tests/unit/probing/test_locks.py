"""Which probe sees which call site, and what the programs are told of it."""

import errno
import os
from typing import Any

import fakes
import pytest

from z3trace.bpf import layout, libbpf
from z3trace.code.placement import REGISTERS
from z3trace.errors import CannotTraceError
from z3trace.probing import locks
from z3trace.probing.choice import Choice, Costs
from z3trace.probing.locks import Covered

LOCK, UNLOCK = "_raw_spin_lock", "_raw_spin_unlock"
SITES = [fakes.site(0, LOCK), fakes.site(1, "_raw_read_trylock"), fakes.site(2, UNLOCK)]
PROBES = [
    fakes.probe(0, before=0),
    fakes.probe(5, after=0, before=1, method="emulated"),
    fakes.probe(21, after=1, kept=("r12", 8)),
    fakes.probe(32, before=2),
]
COSTS = Costs(event={"jump": 50, "emulated": 900, "stepped": 0, "function": 70})
MINED = "mine:my_alloc+"


def _covered(choice: Choice, **code: Any) -> tuple[Any, Covered]:
    made = fakes.Code(**{"sites": SITES, "probes": PROBES, **code})
    attachments: Any = fakes.Attachments()
    return attachments, locks.cover(attachments, fakes.plan(made), fakes.address, choice)


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> fakes.Types:
    """A kernel whose BTF has two lock functions, at the usual place of kernel text."""
    known = fakes.Types({LOCK: 1, "_raw_read_trylock": 1})
    monkeypatch.setattr(locks, "KernelTypes", lambda: known)
    starts = {LOCK: (0xFFFFFFFF81000010, 0), "_raw_read_trylock": (0x7F000000, 0)}
    monkeypatch.setattr(locks, "kernel_functions", lambda pattern: starts)
    return known


def test_every_call_site_is_seen_by_a_probe_of_the_text() -> None:
    attachments, covered = _covered(Choice())
    assert covered.probes == PROBES
    assert (covered.functions, covered.refused) == ([], {})
    assert [place for _, _, place, _ in attachments.log] == [f"{MINED}{n}" for n in (0, 5, 21, 32)]


def test_waits_in_slow_paths_need_fewer_probes() -> None:
    _, covered = _covered(Choice(slow_paths=True), fewer_probes=PROBES[2:])
    assert covered.probes == PROBES[2:]
    assert "can carry a probe" in covered.refused[0]


def test_sites_of_other_classes_are_left_out_and_say_so() -> None:
    plan = fakes.plan(fakes.Code(sites=SITES, probes=PROBES, fewer_probes=PROBES[2:]))
    chosen = Choice(lock_mode="hybrid", lock_class="page", slow_paths=True)
    covered = locks.cover(fakes.any_fake(fakes.Attachments()), plan, fakes.address, chosen, {1})
    assert covered.probes == [PROBES[2]]
    # Also where the lock functions stand in for what cannot be probed.
    assert covered.functions == []
    assert covered.refused == dict.fromkeys((0, 2), "not of class page")


def test_without_locks_no_probe_is_defined() -> None:
    attachments, covered = _covered(Choice(lock_mode="none"))
    assert attachments.log == []
    assert covered.refused == dict.fromkeys(range(3), "locks are not recorded")


def test_what_the_kernel_refuses_is_said_of_every_site_of_the_probe() -> None:
    plan = fakes.plan(fakes.Code(sites=SITES, probes=PROBES))
    attachments: Any = fakes.Attachments({f"{MINED}5": errno.EINVAL})
    covered = locks.cover(attachments, plan, fakes.address, Choice())
    assert covered.probes == [PROBES[0], *PROBES[2:]]
    assert set(covered.refused) == {0, 1}
    assert "notrace" in covered.refused[0]


def test_probes_in_functions_of_one_name_are_defined_by_address() -> None:
    """Of an address an event can have one alone."""
    attachments, covered = _covered(Choice(), ambiguous={"my_alloc"})
    places = [hex(fakes.address(fakes.TEXT, probe.position.address)) for probe in PROBES]
    assert [(event, place) for _, event, place, _ in attachments.log] == [
        (f"lock_{n}", place) for n, place in enumerate(places, 1)
    ]
    assert covered.probes == PROBES
    assert covered.events == ["lock", *(event for _, event, _, _ in attachments.log)]
    assert not covered.refused


def test_a_site_without_a_probe_says_why() -> None:
    tail = fakes.site(3, LOCK, tail=True)
    _, covered = _covered(Choice(), sites=[*SITES, tail, fakes.site(4)])
    assert "jumps to the lock function" in covered.refused[3]
    assert "no instruction here" in covered.refused[4]


def test_hybrid_sees_in_the_lock_function_what_no_probe_can(types: fakes.Types) -> None:
    more = [*SITES, fakes.site(3, LOCK, tail=True), fakes.site(4), fakes.site(5, UNLOCK)]
    _, covered = _covered(Choice(lock_mode="hybrid"), sites=more)
    assert [site.number for site in covered.functions] == [4]
    assert 4 not in covered.refused
    assert covered.refused[5] == f"the kernel's BTF has no {UNLOCK}"
    # A tail jump returns elsewhere: its lock function does not know the site.
    assert "no instruction here" in covered.refused[3]
    assert types.closed


@pytest.mark.parametrize("mode", ["hybrid", "function"])
def test_a_jump_to_a_lock_function_is_seen_at_the_jump_and_at_that_functions_exit(
    types: fakes.Types, mode: str
) -> None:
    tail = fakes.site(3, LOCK, tail=True)
    code = {"sites": [*SITES, tail], "probes": [*PROBES, fakes.probe(48, before=3)]}
    attachments, covered = _covered(Choice(lock_mode=mode), **code)
    assert covered.leaving == [tail]
    assert 3 not in covered.refused
    assert f"{MINED}48" in [place for _, _, place, _ in attachments.log]
    programs: Any = fakes.Programs()
    plan = fakes.plan(fakes.Code(**code))
    locks.describe(programs, plan, covered, fakes.address, COSTS, {})
    marks = {at: place.marks for at, place in enumerate(programs.places) if place.marks}
    assert programs.config.leaving == 1
    leaving = [at for at, mark in marks.items() if mark & layout.LEAVES]
    assert [programs.places[at].call for at in leaving] == [4]
    (told,) = (s for s in locks.call_sites(plan, covered) if s.number == 3)
    assert (told.attached, told.method) == (True, "function")
    # Nothing to see it by on a kernel without types, or at its call alone.
    types.known = {}
    _, blind = _covered(Choice(lock_mode=mode), **code)
    assert "BTF has no" in blind.refused[3]
    attachments, covered = _covered(Choice(), **code)
    assert f"{MINED}48" not in [place for _, _, place, _ in attachments.log]
    assert "jumps to the lock function" in covered.refused[3]


def test_a_lock_function_that_is_jumped_to_alone_is_traced_at_its_exit(
    types: fakes.Types,
) -> None:
    programs: Any = fakes.Programs()
    covered = Covered(leaving=[fakes.site(0, tail=True)])
    for fd in locks.trace_functions(fakes.any_fake(fakes.Attachments()), programs, covered):
        os.close(fd)
    assert [name for name, *_ in programs.loaded] == ["lock_fexit"]


def test_function_mode_probes_nothing_in_the_text_but_tail_jumps(types: fakes.Types) -> None:
    tail = fakes.site(3, UNLOCK, tail=True)
    code = {"sites": [*SITES, tail], "probes": [*PROBES, fakes.probe(48, before=3)]}
    attachments, covered = _covered(Choice(lock_mode="function"), **code)
    assert [place for _, _, place, _ in attachments.log] == [f"{MINED}48"]
    assert [site.number for site in covered.functions] == [0, 1]


def test_without_types_lock_functions_cannot_be_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise OSError(errno.ENOENT, "no BTF")

    monkeypatch.setattr(locks, "KernelTypes", none)
    _, covered = _covered(Choice(lock_mode="function"))
    assert set(covered.refused) == {0, 1, 2}
    assert "no BTF" in covered.refused[0]


def test_lock_functions_are_traced_once_exits_first(types: fakes.Types) -> None:
    programs: Any = fakes.Programs()
    attachments: Any = fakes.Attachments()
    sites = [fakes.site(0), fakes.site(1), fakes.site(2, "_raw_read_trylock")]
    descriptors = locks.trace_functions(attachments, programs, Covered(functions=sites))
    assert [name for name, *_ in programs.loaded] == ["lock_fexit", "lock_fentry"] * 2
    assert [kind for _, kind in attachments.log] == [libbpf.FEXIT, libbpf.FENTRY] * 2
    patched = [patches[layout.PATCH_FUNCTION] for _, patches, _ in programs.loaded]
    assert patched == [0x7F000000] * 2 + [0x81000010 - (1 << 32)] * 2
    assert programs.still_open() == descriptors
    for fd in descriptors:
        os.close(fd)
    assert locks.trace_functions(attachments, programs, Covered()) == []


def test_a_release_is_over_at_its_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "KernelTypes", lambda: fakes.Types({UNLOCK: 1}))
    monkeypatch.setattr(locks, "kernel_functions", lambda pattern: {UNLOCK: (0x10, 0)})
    programs: Any = fakes.Programs()
    covered = Covered(functions=SITES[2:])
    for fd in locks.trace_functions(fakes.any_fake(fakes.Attachments()), programs, covered):
        os.close(fd)
    assert [name for name, *_ in programs.loaded] == ["lock_fentry"]


def test_a_lock_function_that_is_refused_leaves_nothing_open(types: fakes.Types) -> None:
    programs: Any = fakes.Programs()
    programs.refused = {"lock_fentry"}
    attachments: Any = fakes.Attachments()
    with pytest.raises(CannotTraceError, match="no probe in _raw_spin_lock"):
        locks.trace_functions(attachments, programs, Covered(functions=[fakes.site(0)]))
    assert len(programs.opened) == 1
    assert programs.still_open() == []
    assert types.closed


def _described(covered: Covered, sites: Any = SITES) -> Any:
    programs: Any = fakes.Programs()
    plan = fakes.plan(fakes.Code(sites=sites))
    places = locks.describe(programs, plan, covered, fakes.address, COSTS, {})
    assert set(places) == {fakes.address(fakes.TEXT, p.position.address) for p in covered.probes}
    return programs


def test_the_programs_know_what_stands_at_each_address() -> None:
    programs = _described(Covered(probes=list(PROBES)))
    assert programs.config.text == fakes.address(fakes.TEXT, 0)
    first, shared, last = (programs.places[at] for at in (0, 5, 21))
    assert (first.after, first.call, first.call_flags) == (0, 1, layout.SPIN)
    assert (shared.after, shared.after_flags) == (1, layout.SPIN)
    assert (shared.call, shared.call_flags) == (2, layout.READ | layout.TRY)
    assert (REGISTERS[shared.reg], shared.offset) == ("rbx", 24)
    assert (last.after, last.marks) == (2, 1)
    assert (REGISTERS[last.kept_reg], last.kept_offset) == ("r12", 8)
    assert programs.places[32].call_flags == layout.SPIN | layout.RELEASE
    assert [programs.places[at].cost for at in (0, 5, 21, 32, 7)] == [50, 900, 50, 50, 0]


def test_where_the_call_of_a_taker_returns_to_is_known() -> None:
    programs = _described(Covered(probes=list(PROBES)))
    # A trylock never waits, a release takes nothing.
    returning = {at: place.returning for at, place in enumerate(programs.places) if place.returning}
    assert returning == {5: 1 << layout.RW_BITS | layout.SPIN}


def test_a_site_in_a_lock_function_is_known_by_where_that_returns_to() -> None:
    covered = Covered(probes=[PROBES[3]], functions=[SITES[0]], refused={1: "no"})
    programs = _described(covered)
    # The text begins at the lowest address that is needed.
    assert programs.config.text == fakes.address(fakes.TEXT, 5)
    caller = programs.places[0]
    assert (caller.caller, caller.caller_flags, caller.cost) == (1, layout.SPIN, 70)
    assert caller.returning == 0


def test_a_refused_site_is_no_event_of_a_probe_that_it_shares() -> None:
    programs = _described(Covered(probes=list(PROBES), refused={0: "no"}))
    place = programs.places[5]
    assert (place.after, place.call) == (0, 2)


def test_a_cost_is_never_nothing_and_fits() -> None:
    assert [locks._cost(ns) for ns in (0, 1, 70_000)] == [1, 1, 0xFFFF]


def test_text_beyond_the_programs_room_is_refused() -> None:
    far = Covered(probes=[PROBES[0], fakes.probe(5000, before=2)])
    with pytest.raises(CannotTraceError, match="larger than the probes know"):
        _described(far)


def test_a_recording_names_every_call_site_and_how_it_was_seen() -> None:
    covered = Covered(probes=PROBES[:2], functions=[SITES[2]], refused={1: "notrace"})
    plan = fakes.plan(fakes.Code(sites=SITES))
    taken, tried, released = locks.call_sites(plan, covered)
    assert (taken.number, taken.function, taken.offset) == (0, "my_alloc", 0)
    assert (taken.lock_function, taken.action, taken.kind) == (LOCK, "acquire", "spin")
    assert (taken.file, taken.line, taken.inlined) == ("mm/mine.c", 100, ["my_alloc"])
    assert (taken.attached, taken.method, taken.reason) == (True, "emulated", "")
    assert (tried.attached, tried.method, tried.reason) == (False, "", "notrace")
    assert (tried.action, tried.kind, tried.offset) == ("try", "read", 16)
    assert (released.attached, released.method) == (True, "function")
