"""What the programs are told before any probe stands, and what is detached after."""

import os
from typing import Any

import fakes
import pytest

from z3trace.bpf import layout
from z3trace.data.counts import SiteCounts
from z3trace.errors import CannotTraceError, UsageError
from z3trace.probing import arming, operations, siteclasses, slowpath
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
    programs.config.rules[5].how = layout.RULE_RWLOCK  # of another recording
    costs = Costs(operation=0, operation_floor=70, hold_floor=9)
    choice = Choice(process=7, processors=3, slow_paths=True)
    arming.configure(programs, fakes.plan(), costs, choice, siteclasses.of(fakes.plan()))
    rules = [(rule.how, rule.offset, rule.lock_class) for rule in programs.config.rules]
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
    choice = Choice(lock_mode="none", slow_paths=True)
    arming.configure(programs, fakes.plan(), Costs(), choice, siteclasses.of(fakes.plan()))
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


LOCK, UNLOCK = "_raw_spin_lock", "_raw_spin_unlock"
#: A pool's lock is taken at site 0 and released at site 2, a page's at 1 and 3.
SITES = [fakes.site(0, LOCK), fakes.site(1, LOCK), fakes.site(2, UNLOCK), fakes.site(3, UNLOCK)]
PROBES = [
    fakes.probe(5, after=0, kept=("rbx", 8)),
    fakes.probe(21, after=1, kept=("r12", 16)),
    fakes.probe(32, before=2),
    fakes.probe(48, before=3),
]
PLAN = fakes.plan(fakes.Code(sites=SITES, probes=PROBES, fewer_probes=PROBES))


def _seen(site: int, *classes: str) -> SiteCounts:
    names = ("acquisitions", "contended", "trylock_failures", "releases")
    sums = ("wait_sum", "wait_max", "hold_sum", "hold_max")
    return SiteCounts(site=site, locks=list(classes), **dict.fromkeys((*names, *sums), 1))


def _of_class(
    monkeypatch: pytest.MonkeyPatch, known: siteclasses.SiteClasses, **choice: Any
) -> tuple[Any, Any, Any]:
    attachments: Any = fakes.Attachments()
    monkeypatch.setattr(arming, "Attachments", lambda: attachments)
    monkeypatch.setattr(slowpath, "trace", lambda attachments, programs: [])
    programs: Any = fakes.Programs()
    chosen = Choice(operations=False, slow_paths=True, **choice)
    armed = arming.arm(programs, PLAN, fakes.address, Costs(), chosen, known)
    return programs, attachments, armed


def test_a_run_of_one_class_has_its_probes_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    known = siteclasses.of(PLAN)
    known.learn([_seen(0, "pool"), _seen(1, "page"), _seen(2, "pool"), _seen(3, "page")])
    programs, attachments, armed = _of_class(monkeypatch, known, lock_class="pool")
    defined = [entry[2] for entry in attachments.log if entry[0] == "define"]
    assert defined == ["mine:my_alloc+5", "mine:my_alloc+32"]
    assert [site.reason for site in armed.sites] == ["", "not of class pool"] * 2
    assert all(not op.attached for op in armed.operations)
    # The programs need not look the class up: it is number 2.
    first, second = (programs.places[at] for at in (0, 27))
    assert first.after_flags == 3 << layout.CLASS_SHIFT
    assert second.call_flags == layout.RELEASE | 3 << layout.CLASS_SHIFT
    assert (programs.config.only, programs.config.told) == (3, 8 + 1)


def test_operations_tell_the_pools_where_no_site_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known of any site, and a pool's lock is told by the pool's address."""
    programs, attachments, armed = _of_class(monkeypatch, siteclasses.of(PLAN), lock_class="pool")
    assert "entry_0" in [entry[1] for entry in attachments.log]
    assert "return_0" not in [entry[1] for entry in attachments.log]
    assert all(site.attached for site in armed.sites)
    assert programs.places[0].after_flags == 0
    assert (programs.config.only, programs.config.told) == (3, 0)
    # A page's lock is told by its own address.
    _, attachments, _ = _of_class(monkeypatch, siteclasses.of(PLAN), lock_class="page")
    assert "entry_0" not in [entry[1] for entry in attachments.log]


def test_a_filter_needs_operations_whatever_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    known = siteclasses.of(PLAN)
    known.learn([_seen(n, "page") for n in range(4)])
    _, attachments, _ = _of_class(monkeypatch, known, lock_class="page", process=7)
    assert {"entry_0", "return_0"} <= {entry[1] for entry in attachments.log}


def test_a_run_of_all_classes_looks_none_of_them_up_by_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = siteclasses.of(PLAN)
    known.learn([_seen(0, "pool")])
    programs, _, armed = _of_class(monkeypatch, known)
    assert all(site.attached for site in armed.sites)
    assert programs.places[0].after_flags == 0
    assert (programs.config.only, programs.config.told) == (0, 0)


def test_a_class_that_the_target_has_not_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="my has no lock class none"):
        _of_class(monkeypatch, siteclasses.of(PLAN), lock_class="none")
