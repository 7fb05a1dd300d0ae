"""What the programs are told before any probe stands, and what is detached after."""

import os
from typing import Any

import fakes
import pytest

from z3trace.bpf import layout
from z3trace.errors import CannotTraceError
from z3trace.probing import arming, operations
from z3trace.probing.choice import ALL_CPUS, Choice, Costs


@pytest.fixture(autouse=True)
def no_types(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> None:
        raise OSError("no BTF")

    monkeypatch.setattr(operations, "KernelTypes", none)


def _armed(monkeypatch: pytest.MonkeyPatch, attachments: Any, choice: Choice) -> Any:
    monkeypatch.setattr(arming, "Attachments", lambda: attachments)
    probes = [fakes.probe(0, before=0), fakes.probe(5, after=0, method="emulated")]
    plan = fakes.plan(fakes.Code(sites=[fakes.site(0)], probes=probes))
    return arming.arm(fakes.any_fake(fakes.Programs()), plan, fakes.address, Costs(), choice)


def test_rules_and_costs_are_where_the_programs_look() -> None:
    programs: Any = fakes.Programs()
    programs.config.rules[5].kind = layout.RULE_RWLOCK  # of another recording
    costs = Costs(operation=0, operation_floor=70, hold_floor=9)
    choice = Choice(process=7, processors=3, slow_paths=True)
    arming.configure(programs, fakes.plan(), costs, choice)
    rules = [(rule.kind, rule.offset, rule.lock_class) for rule in programs.config.rules]
    assert rules[:2] == [(layout.RULE_POOL, 8, 2), (layout.RULE_PAGE, 16, 1)]
    assert set(rules[2:]) == {(layout.RULE_NONE, 0, 0)}
    for cpu in programs.per_cpu:
        # Nothing would mean that no probe stood there.
        assert (cpu.floors.operation, cpu.floors.operation_cost, cpu.floors.hold) == (70, 1, 9)
    config = programs.config
    assert (config.process, config.processors, config.filtered) == (7, 3, 1)
    assert config.slow_paths == 1


def test_nothing_is_filtered_and_no_slow_path_used_unless_chosen() -> None:
    programs: Any = fakes.Programs()
    arming.configure(programs, fakes.plan(), Costs(), Choice(lock_mode="none", slow_paths=True))
    config = programs.config
    assert (config.filtered, config.slow_paths, config.processors) == (0, 0, ALL_CPUS)


def test_locks_stand_before_operations_and_jumps_are_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attachments: Any = fakes.Attachments()
    armed = _armed(monkeypatch, attachments, Choice())
    words = [entry[0:2] for entry in attachments.log]
    assert words[:3] == [("define", "lock"), ("define", "lock"), ("enable", "lock")]
    # Only what will be a jump is waited for.
    assert words[3] == ("jumps", fakes.address(fakes.TEXT, 0))
    assert words[4][1] == "return_0"
    assert [site.attached for site in armed.sites] == [True]


def test_nothing_stays_if_no_operation_can_be_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    attachments: Any = fakes.Attachments({"entry_0": 22, "entry_1": 22})
    with pytest.raises(CannotTraceError, match="no operation could be probed"):
        _armed(monkeypatch, attachments, Choice())
    assert attachments.closed


def test_closing_says_so_first_and_closes_all_once(monkeypatch: pytest.MonkeyPatch) -> None:
    attachments: Any = fakes.Attachments()
    armed = _armed(monkeypatch, attachments, Choice())
    order = []
    armed.closing = lambda: order.append(attachments.closed)
    armed.operation_trampolines.append(os.open(os.devnull, os.O_RDONLY))
    fd = armed.operation_trampolines[0]
    armed.close()
    assert order == [False]
    assert attachments.closed
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
    assert armed.operation_trampolines == []
