"""Which call sites a run of one lock class needs: never too few."""

from dataclasses import replace
from typing import Any

import fakes
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from z3trace.code.callsites import Site
from z3trace.code.disassembly import instructions
from z3trace.code.function import Function
from z3trace.code.lockfunctions import LOCK_FUNCTIONS
from z3trace.data.counts import SiteCounts
from z3trace.errors import UsageError
from z3trace.probing import siteclasses
from z3trace.target.definition import LockRule


def _called(code: str, lock_function: str = "_raw_spin_lock") -> tuple[Any, Site]:
    """The plan of a function with one lock call after *code*, and the call's site."""
    before = bytes.fromhex(code)
    call = before + b"\xe8\0\0\0\0"
    where = (fakes.TEXT, len(before), len(call), "my_alloc", len(before))
    site = Site(0, *where, LOCK_FUNCTIONS[lock_function], tail=False)
    decoded = {site.start: Function(instructions(call, 0), ())}
    return fakes.plan(fakes.Code(sites=[site], decoded=decoded)), site


@pytest.mark.parametrize(
    ("code", "likely"),
    [
        ("488d7b10", "page"),  # lea 0x10(%rbx),%rdi: the offset of page.lock
        ("488d7b08", "pool"),  # lea 0x8(%rbx),%rdi: that of pool.lock
        ("488d7b18", ""),  # of nothing that is known
        ("4889df", ""),  # mov %rbx,%rdi: an offset of 0 tells nothing
        ("4883c3104889df", "page"),  # add $0x10,%rbx; mov %rbx,%rdi
    ],
)
def test_the_likely_class_is_that_of_the_offset_added(code: str, likely: str) -> None:
    assert siteclasses.shown(*_called(code)) == likely


def test_a_reader_writer_lock_is_of_the_class_that_has_one() -> None:
    plan, site = _called("488d7b10", "_raw_read_lock")
    assert siteclasses.shown(plan, site) == ""
    rule = LockRule(lock_class="slots", struct="slots", member="lock", where="rwlock")
    target = structs.replace(fakes.TARGET, locks=[*fakes.TARGET.locks, rule])
    assert siteclasses.shown(fakes.plan(plan.code, target), site) == "slots"


def test_code_that_is_not_known_tells_no_class() -> None:
    plan, site = _called("488d7b10")
    assert siteclasses.shown(replace(plan, code=fakes.Code(sites=[site])), site) == ""


DEVICE = LockRule(lock_class="device", struct="device", member="lock", where="site")


@pytest.mark.parametrize(
    ("code", "known", "told"),
    [
        ("488d7b28", {"lock": 0x28}, "device"),  # lea 0x28(%rbx),%rdi
        ("4883c3284889df", {"lock": 0x28}, "device"),  # add $0x28,%rbx; mov %rbx,%rdi
        ("488d7b20", {"lock": 0x28}, None),
        ("4889df", {"lock": 0}, None),  # mov %rbx,%rdi: every structure has an offset of 0
        ("488d7b10", {"lock": 0x10}, None),  # page.lock lies there too
        ("488d7b28", {}, None),
    ],
)
def test_a_lock_that_no_operation_is_handed_is_told_by_its_offset(
    code: str, known: dict[str, int], told: str | None
) -> None:
    made, site = _called(code)
    target = structs.replace(fakes.TARGET, locks=[*fakes.TARGET.locks, DEVICE])
    others = made.code.members
    made.code.members = lambda name: known if name == "device" else others(name)
    plan = fakes.plan(made.code, target)
    classes = siteclasses.of(plan)
    assert plan.certain.get(site.number) == told
    assert (site.number in classes.certain("device")) == bool(told)
    # A site of which nothing is known may be where such a lock is released.
    assert (site.number in classes.numbers("device")) == (siteclasses.shown(plan, site) != "page")


LOCK, UNLOCK, READ = "_raw_spin_lock", "_raw_spin_unlock", "_raw_read_lock"
SITES = [fakes.site(0, LOCK), fakes.site(1, UNLOCK), fakes.site(2, LOCK), fakes.site(3, READ)]
RW = LockRule(lock_class="slots", struct="slots", member="lock", where="rwlock")
TARGET = structs.replace(fakes.TARGET, locks=[*fakes.TARGET.locks, RW])
CLASSES = ("other", "page", "pool", "slots")


def _plan() -> Any:
    code = fakes.Code(sites=SITES)
    made = fakes.plan(code, TARGET)
    # A reader-writer lock has no member to look for.
    assert [lock.name for lock in made.locks] == list(CLASSES)
    return made


def _seen(site: int, *classes: str) -> SiteCounts:
    names = ("acquisitions", "contended", "trylock_failures", "releases")
    sums = ("wait_sum", "wait_max", "hold_sum", "hold_max")
    return SiteCounts(site=site, locks=list(classes), **dict.fromkeys((*names, *sums), 1))


def test_a_site_of_which_nothing_is_known_is_in_the_run_of_every_class_it_can_be_of() -> None:
    classes = siteclasses.of(_plan())
    assert classes.numbers("page") == {0, 1, 2}
    # A pool's member may be a reader-writer lock; a lock of a page is a spinlock.
    assert classes.numbers("pool") == {0, 1, 2, 3}
    assert classes.numbers("slots") == {3}
    # Every reader-writer lock is of class slots, but there may be other spinlocks.
    assert classes.numbers("other") == {0, 1, 2}
    assert classes.certain("page") == set()


def test_a_site_that_was_seen_is_in_the_runs_of_the_classes_seen_there() -> None:
    classes = siteclasses.of(_plan())
    missed = classes.learn([_seen(0, "page"), _seen(1, "page", "pool"), _seen(3, "slots")])
    assert missed == set()
    assert classes.numbers("page") == {0, 1, 2}
    assert classes.numbers("pool") == {1, 2}
    assert classes.certain("page") == {0}
    assert classes.certain("pool") == set()
    assert classes.certain("slots") == {3}
    assert classes.fixed("page") == {0: CLASSES.index("page")}
    assert classes.fixed("") == {}


def test_a_class_that_lacked_a_site_so_far_is_said() -> None:
    classes = siteclasses.of(_plan())
    classes.learn([_seen(0, "page")])
    assert classes.learn([_seen(0, "page"), _seen(2, "pool")]) == set()
    assert classes.learn([_seen(0, "pool")]) == {"pool"}
    assert 0 in classes.numbers("pool")
    assert classes.certain("page") == set()


def test_what_the_code_shows_counts_until_a_run_has_seen_the_site() -> None:
    plan, _ = _called("488d7b10")
    classes = siteclasses.of(plan)
    assert (classes.numbers("page"), classes.numbers("pool")) == ({0}, set())
    # It is no proof: another structure may have a lock at that offset.
    assert classes.certain("page") == set()
    assert classes.learn([_seen(0, "pool")]) == {"pool"}
    assert (classes.numbers("page"), classes.numbers("pool")) == (set(), {0})


def test_a_lock_of_a_pool_not_known_yet_was_taken_for_another() -> None:
    classes = siteclasses.of(_plan())
    classes.learn([_seen(0, "other")])
    assert 0 in classes.numbers("pool")
    assert 0 not in classes.numbers("page")
    assert classes.certain("other") == {0}


def test_one_certain_site_tells_where_the_pool_is() -> None:
    classes = siteclasses.of(_plan())
    assert classes.told_by("pool") is None
    assert classes.need_pools("pool")
    assert not classes.need_pools("page")
    classes.learn([_seen(0, "pool")])
    rule = classes.told_by("pool")
    assert rule is not None
    assert rule.offset == 8
    assert not classes.need_pools("pool")


def test_pools_are_not_needed_where_every_site_is_certain() -> None:
    plan = fakes.plan(fakes.Code(sites=SITES[:1]), TARGET)
    two = replace(plan, rules=[*plan.rules, replace(plan.rules[0], offset=24)])
    classes = siteclasses.of(two)
    assert classes.need_pools("pool")
    classes.learn([_seen(0, "pool")])
    # Of two offsets none tells where the pool is.
    assert classes.told_by("pool") is None
    assert not classes.need_pools("pool")


def test_what_a_plan_is_certain_of_is_not_asked() -> None:
    classes = siteclasses.of(replace(_plan(), certain={0: "page", 3: "pool"}))
    assert classes.certain("page") == {0}
    assert 0 not in classes.numbers("pool")
    assert classes.fixed("") == {0: 1, 3: 2}


def test_an_unknown_class_is_said_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="my has no lock class list"):
        siteclasses.of(_plan()).numbers("list")


_EVENTS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(CLASSES)), max_size=30)


@given(_EVENTS, _EVENTS)
def test_no_event_of_a_run_that_was_learned_from_is_left_out(
    first: list[tuple[int, str]], second: list[tuple[int, str]]
) -> None:
    """Whatever the runs saw: a class's run has the sites of all its events so far, or the
    class is said to have missed some."""
    plan = _plan()
    classes = siteclasses.of(plan)
    possible = {s.number: {c for c in CLASSES if s.number in classes.numbers(c)} for s in SITES}
    for events in (first, second):
        real = [(site, name) for site, name in events if name in possible[site]]
        before = {name: classes.numbers(name) for name in CLASSES}
        missed = classes.learn([_seen(site, name) for site, name in real])
        for site, name in real:
            assert site in classes.numbers(name)
            assert site in before[name] or name in missed
