"""What the rules found, from maps that the test fills as the kernel would."""

from typing import Any

import checksamples
import fakes
import pytest

from z3trace.bpf import checklayout, layout
from z3trace.checking.arming import Judged
from z3trace.checking.findings import Findings
from z3trace.data import rules
from z3trace.data.checkfile import ConditionInfo

PAGE, POOL = 1, 2
HEADER = checksamples.header()
LONG_HOLD = rules.IN_KERNEL.index("long-hold")
CONDITION = rules.IN_KERNEL.index(rules.CONDITION_MET)


@pytest.fixture
def parts() -> tuple[Any, Findings]:
    programs: Any = fakes.Programs()
    judged = Judged(conditions=[ConditionInfo(name="freed"), ConditionInfo(name="gone")], since=1)
    plan = fakes.plan(fakes.Code(sites=[fakes.site(0), fakes.site(1)]))
    return programs, Findings(programs, programs.check, plan, judged)


def _report(programs: Any, cpu: int, time: int) -> None:
    checker = programs.check.checkers[cpu]
    raw = programs.check.incidents[cpu * checklayout.INCIDENTS + checker.incidents]
    raw.time, raw.rule, raw.cpu, raw.name = time, LONG_HOLD, cpu, b"worker"
    checker.incidents += 1


def test_incidents_of_all_cpus_come_once_and_in_order_of_time(parts: Any) -> None:
    programs, findings = parts
    for cpu, time in ((0, 30), (1, 10), (1, 20)):
        _report(programs, cpu, time)
    incidents = findings.new_incidents(HEADER)
    assert [(i.time, i.cpu) for i in incidents] == [(10, 1), (20, 1), (30, 0)]
    assert incidents[0].task_name == "worker"
    assert findings.new_incidents(HEADER) == []
    _report(programs, 0, 5)
    assert [i.time for i in findings.new_incidents(HEADER)] == [5]


def test_edges_name_the_class_that_was_held_and_the_first_sites(parts: Any) -> None:
    programs, findings = parts
    pair = PAGE * layout.CLASSES + POOL
    for checker in programs.check.checkers:
        checker.edges[pair] = 3
    programs.check.order[pair].outer, programs.check.order[pair].inner = 1, 2
    programs.check.checkers[0].edges[POOL * layout.CLASSES + PAGE] = 1
    first, second = findings.progress().edges
    assert (first.held, first.acquired, first.count) == ("page", "pool", 6)
    assert (first.held_site, first.acquired_site) == (0, 1)
    assert (second.held, second.held_site, second.acquired_site) == ("pool", None, None)


def _offend(programs: Any, cpu: int, rule: int, site: int, count: int) -> None:
    """As z3t_offences_at finds a place: by CPU, rule, site + 1."""
    stride = 2 * programs.site_count
    at = (cpu * len(rules.IN_KERNEL) + rule) * stride + site
    programs.check.offences[at].count = count
    programs.check.offences[at].told = 2


def test_offences_are_summed_by_rule_and_site(parts: Any) -> None:
    programs, findings = parts
    _offend(programs, 0, LONG_HOLD, 2, 5)
    _offend(programs, 1, LONG_HOLD, 2, 7)
    _offend(programs, 1, 1, 0, 1)
    # A condition that is met is none.
    _offend(programs, 0, CONDITION, 1, 9)
    offences = [(o.rule, o.site, o.count) for o in findings.progress().offences]
    assert offences == [("held-at-return", None, 1), ("long-hold", 1, 12)]


def test_progress_has_all_counts_so_far(parts: Any) -> None:
    programs, findings = parts
    programs.tasks[0].entries[0] = 4
    programs.sites[1].acquisitions = 1
    for checker in programs.check.checkers:
        checker.conditions[0] += 2
        checker.crossed = 3
    progress = findings.progress()
    assert progress.operations == {"alloc": 4, "free": 0}
    assert progress.reached == [1]
    assert progress.conditions == [4, 0]
    assert progress.crossed == 6
    assert progress.elapsed > 0
