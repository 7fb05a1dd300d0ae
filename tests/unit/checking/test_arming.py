"""Which rules are judged, and what the programs are told of a target's promises."""

import errno
from typing import Any, Literal

import fakes
import pytest
from msgspec import structs

from z3trace.bpf import layout
from z3trace.checking import arming
from z3trace.checking.arming import Limits
from z3trace.data import rules
from z3trace.data.model import CallSite
from z3trace.errors import CannotTraceError
from z3trace.probing.arming import Armed
from z3trace.target.definition import Target

FREES = structs.replace(fakes.TARGET, frees=["put_page"])
MEMORY = (0xFFFFEA0000000000, 0xFFFF888000000000)


def _site(
    number: int,
    function: str,
    *,
    attached: bool,
    action: Literal["acquire", "try", "release"] = "acquire",
) -> CallSite:
    return CallSite(
        number=number,
        function=function,
        offset=0,
        lock_function="_raw_spin_lock",
        action=action,
        kind="spin",
        attached=attached,
    )


@pytest.fixture
def armed() -> Any:
    return Armed(fakes.any_fake(fakes.Attachments()), sites=[_site(0, "a", attached=True)])


@pytest.fixture(autouse=True)
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arming.cpus, "online", lambda: [0, 1])
    monkeypatch.setattr(arming, "memory_map", lambda: MEMORY)


def _arm(armed: Armed, target: Target = FREES, limits: Limits | None = None) -> Any:
    programs: Any = fakes.Programs()
    plan = fakes.plan(target=target)
    judged = arming.arm(programs, programs.check, plan, limits or Limits(), armed)
    return judged, programs.check.rulebook, programs


def _judged(book: Any) -> set[str]:
    return {rule for n, rule in enumerate(rules.IN_KERNEL) if book.judged >> n & 1}


def test_every_rule_is_judged_where_all_is_seen(armed: Armed) -> None:
    judged, book, _ = _arm(armed)
    assert judged.not_judged == {}
    assert _judged(book) == set(rules.IN_KERNEL) - {""}


#: Rules that an acquisition that is not seen breaks or hides.
PAIRED = {"held-at-return", "unheld-at-return", "release-unheld", "foreign-release"}


def test_rules_of_pairs_need_every_call_site(armed: Armed) -> None:
    armed.sites += [_site(1, "b", attached=False), _site(2, "a", attached=False)]
    judged, book, _ = _arm(armed)
    assert set(judged.not_judged) == PAIRED
    assert set(judged.not_judged.values()) == {"2 of 3 lock call sites are not seen, in a, b"}
    assert _judged(book) == set(rules.IN_KERNEL) - PAIRED - {""}


def test_a_release_that_is_not_seen_leaves_nothing_to_judge_of_what_is_held(
    armed: Armed,
) -> None:
    armed.sites += [_site(1, "b", attached=False, action="release")]
    judged, book, _ = _arm(armed)
    assert _judged(book) == {"stuck-wait", rules.CONDITION_MET}
    assert set(judged.not_judged) == set(rules.BY_NAME) - {"stuck-wait"}
    assert "1 of 1 releases are not seen, in b" in judged.not_judged["double-acquire"]
    assert "1 of 2 lock call sites are not seen" in judged.not_judged["held-at-return"]


def test_limits_and_contracts_are_where_the_programs_look(armed: Armed) -> None:
    _, book, _ = _arm(armed, limits=Limits(hold=0.5, wait=3, console=True))
    assert (book.long_hold, book.stuck, book.console) == (500_000_000, 3_000_000_000, 1)
    # alloc promises the page's lock, which is class 1.
    assert list(book.holds)[:2] == [0b10, 0]


def test_memory_that_is_given_back_is_looked_at(armed: Armed) -> None:
    _, book, _ = _arm(armed)
    assert (book.pages, book.memory) == MEMORY
    assert (book.page_lock, book.page_class) == (16, 1)
    log = fakes.any_fake(armed.attachments).log
    assert ("define", "free", "put_page", False) in log
    assert ("enable", "free") in log


@pytest.mark.parametrize("why", ["none", "memory", "refused"])
def test_why_it_is_not_is_said(armed: Armed, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    target = fakes.TARGET if why == "none" else FREES
    if why == "memory":

        def unknown() -> None:
            raise CannotTraceError("memory is elsewhere")

        monkeypatch.setattr(arming, "memory_map", unknown)
    if why == "refused":
        armed.attachments = fakes.any_fake(fakes.Attachments({"put_page": errno.ENOENT}))
    judged, book, _ = _arm(armed, target)
    said = {"none": "names no function", "memory": "elsewhere", "refused": "No such file"}
    assert said[why] in judged.not_judged["free-while-held"]
    assert "free-while-held" not in _judged(book)


def test_conditions_are_counted_or_say_why_not(armed: Armed) -> None:
    judged, _, programs = _arm(armed)
    freed, gone = judged.conditions
    assert (freed.name, freed.reason) == ("freed", "")
    assert "none of my_gone is there" in gone.reason
    patches = next(patches for name, patches, _ in programs.loaded if name == "condition")
    assert patches == {
        layout.PATCH_CONDITION: 0,
        layout.PATCH_TEST: rules.TESTS.index("called"),
        layout.PATCH_VALUE: 0,
        layout.PATCH_ARGUMENT: 0,
        layout.PATCH_OFFSET: 0,
    }


@pytest.mark.parametrize(
    ("member", "offset", "reason"),
    [("lock", 1 + 8, ""), ("private", None, "this version of my has no pool.private")],
)
def test_a_test_may_look_at_a_member_of_what_an_argument_points_to(
    armed: Armed, member: str, offset: int | None, reason: str
) -> None:
    changes = {"struct": "pool", "member": member, "test": "has-bits", "value": 2}
    condition = structs.replace(FREES.conditions[0], **changes)
    judged, _, programs = _arm(armed, structs.replace(FREES, conditions=[condition]))
    assert [each.reason for each in judged.conditions] == [reason]
    patched = [patches for name, patches, _ in programs.loaded if name == "condition"]
    assert [patches[layout.PATCH_OFFSET] for patches in patched] == [offset] * (offset is not None)
    assert [patches[layout.PATCH_VALUE] for patches in patched] == [2] * (offset is not None)


@pytest.mark.parametrize(("needs", "there"), [
    ("pool", True), ("pool.lock", True), ("pool.lru", False), ("slots", False),
])  # fmt: skip
def test_a_condition_that_means_something_else_here_is_not_counted(
    armed: Armed, needs: str, there: bool
) -> None:
    first = structs.replace(FREES.conditions[0], needs=needs)
    judged, _, _ = _arm(armed, structs.replace(FREES, conditions=[first]))
    reason = "" if there else f"this version of my has no {needs}"
    assert [condition.reason for condition in judged.conditions] == [reason]


def test_judging_begins_last_and_ends_before_anything_is_detached(armed: Armed) -> None:
    judged, book, _ = _arm(armed)
    assert book.armed == judged.since > 0
    still: list[int] = []
    fake = fakes.any_fake(armed.attachments)
    close = fake.close
    fake.close = lambda: (still.append(book.armed), close())
    armed.close()
    assert still == [0]
