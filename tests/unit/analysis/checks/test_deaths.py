"""A kernel that dies of something no rule judges is a finding, in the console's words."""

from checksamples import broken, clean

from z3trace.analysis.checks import judgement
from z3trace.analysis.report import checkmail
from z3trace.analysis.report.remarks import of_check

LOST = "the guest was lost: kernel panic: Kernel panic - not syncing: Fatal exception"
CORRUPT = """\
[   10.000001] list_del corruption. prev->next should be ffff888, but was dead. (prev=ffff)
[   10.000002] ------------[ cut here ]------------
[   10.000003] kernel BUG at lib/list_debug.c:59!
[   10.000004] invalid opcode: 0000 [#1] PREEMPT SMP NOPTI
[   10.000005] RIP: 0010:__list_del_entry_valid.cold+0x1d/0x69
[   10.000006] Call Trace:
[   10.000007]  <TASK>
[   10.000008]  z3fold_zpool_free+0x14f/0x2a0 [z3fold]
[   10.000009]  ? other+0x1/0x2 [z3fold]
[   10.000010]  free_slot+0x5a/0xb0 [zpool_bench]
[   10.000011] Kernel panic - not syncing: Fatal exception
"""
OOPS = CORRUPT.replace("list_del corruption. prev", "something. prev").replace(
    "kernel BUG at lib/list_debug.c:59!", "BUG: unable to handle page fault for address: 0000dead"
)


def test_the_consoles_words_and_the_place_in_the_target() -> None:
    report = judgement.report(clean(), CORRUPT, LOST)
    (death,) = report.deaths
    assert (
        death.words
        == "list_del corruption. prev->next should be ffff888, but was dead. (prev=ffff)"
    )
    assert (death.place.function, death.place.offset) == ("z3fold_zpool_free", 0x14F)
    assert report.verdict == "violations"
    text = checkmail.render(report)
    assert "What killed the kernel" in text
    assert "list_del corruption" in text


def test_corruption_is_told_beside_a_broken_rule_and_an_oops_is_not() -> None:
    report = judgement.report(broken(), CORRUPT, LOST)
    (death,) = report.deaths
    assert death.events
    assert not judgement.report(broken(), OOPS, LOST).deaths
    (oops,) = judgement.report(clean(), OOPS, LOST).deaths
    assert oops.words == "BUG: unable to handle page fault for address: 0000dead"


def test_a_bug_after_a_broken_rule_is_not_told_apart() -> None:
    """A count that a wrong release left below 0 ends in a BUG of the kernel's own code."""
    bug = CORRUPT[CORRUPT.index("[   10.000002]") :]
    assert not judgement.report(broken(), bug, LOST).deaths
    (death,) = judgement.report(clean(), bug, LOST).deaths
    assert death.words == "kernel BUG at lib/list_debug.c:59!"


def test_a_guest_that_lived_did_not_die() -> None:
    assert not judgement.report(clean(), CORRUPT, "").deaths


def test_what_the_base_dies_of_too_is_not_the_patchs() -> None:
    report = judgement.report(clean(), CORRUPT, LOST)
    assert len(of_check(report, judgement.report(clean()))) == 1
    again = judgement.report(clean(), CORRUPT.replace("ffff888", "ffff999"), LOST)
    assert not of_check(report, again)
