"""Timed builds: what a module tells of its own locks is what it did.

``timedlocks`` takes locks in known ways, a known number of times, and measures its own
waits; the counted z3fold counts every lock operation a second time.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vm.conftest import Guest
from z3trace.data.counts import Series
from z3trace.data.timed import Timed, TimedBuild, TimedCall, TimedCallCounts
from z3trace.kernels import build, fetch, workloads
from z3trace.kernels.variant import Variant, load

pytestmark = pytest.mark.vm

HERE = Path(__file__).parent / "timedlocks"
#: As in timedlocks.c.
TIMES, HOLD, WAIT = 23, 200_000, 4_000_000
DEEPEST, MANY = 31, 40
#: A hold is so long, and a wait as the waiter measures it, in most cases; the
#: host may take the CPU of the guest away meanwhile, so that no bound holds for all.
MARGIN = 1.05
SCENARIOS = (
    *("forms", "downgrade", "holds", "hand_over_hand", "nested", "self_tries", "interrupts"),
    *("migration", "overflow", "unmatched", "fail_sleeping", "fail_spin"),
    *("wait_spin", "wait_irqsave", "wait_read", "wait_bit", "wait_mutex"),
    *("retry", "try_then_take", "give_up"),
)


@dataclass
class Told:
    """What a scenario's run told."""

    wrong: int
    truth: int
    timed: Timed
    build: TimedBuild

    def calls(
        self, action: str = "", function: str = "", expression: str = ""
    ) -> list[tuple[TimedCall, TimedCallCounts]]:
        """The calls that did something."""
        return [
            (call, counts)
            for call, counts in zip(self.build.calls, self.timed.calls, strict=True)
            if action in ("", call.action)
            and call.function.startswith(function)
            and expression in call.expression
            and (counts.acquisitions or counts.releases or counts.trylock_failures)
        ]

    def series(self, metric: str, lock: str) -> Series:
        return next(s for s in self.timed.series if (s.metric, s.lock) == (metric, lock))

    def nesting(self) -> dict[tuple[str, str], int]:
        return {(pair.held, pair.acquired): pair.count for pair in self.timed.nesting}

    def nothing_lost(self) -> None:
        assert self.wrong == 0
        assert self.timed.ledger.lost() == 0, self.timed.ledger
        assert self.timed.ledger.open_holds == 0
        for lock in self.timed.locks:
            assert lock.acquisitions == lock.releases, lock


@pytest.fixture(scope="module")
def own_kernel(kernel: fetch.Kernel, tmp_path_factory: pytest.TempPathFactory) -> fetch.Kernel:
    """The fetched kernel, with a source of ours instead of its own."""
    directory = tmp_path_factory.mktemp("kernel")
    (directory / "root").symlink_to(kernel.root)
    (directory / "source/mm").mkdir(parents=True)
    (directory / "source/mm/timedlocks.c").write_text((HERE / "timedlocks.c").read_text())
    return fetch.Kernel(directory, kernel.release, kernel.version)


@pytest.fixture(scope="module")
def own_module(own_kernel: fetch.Kernel) -> Path:
    chosen = Variant("own", "", ())
    # The source is ours; a box would not see through the link.
    return build.build_variant(
        own_kernel, "mm/timedlocks.c", chosen, print, boxed=False, timed=True
    ).path


_told: dict[str, Told] = {}


@pytest.fixture
def told(guest: Guest, own_module: Path, tmp_path: Path) -> dict[str, Told]:
    """Every scenario's figures, from one guest for all tests."""
    if not _told:
        result = guest(
            f"{sys.executable} {HERE}/guest.py {own_module} {HERE}/target.toml told.json "
            + " ".join(SCENARIOS)
        )
        assert result.returncode == 0, result.stdout + result.stderr
        found = json.loads((tmp_path / "told.json").read_bytes())
        its = msgspec.convert(found.pop("build"), TimedBuild)
        for name, one in found.items():
            timed = msgspec.convert(one["timed"], Timed)
            _told[name] = Told(one["wrong"], one["truth"], timed, its)
    return _told


def test_every_form_is_counted_and_leaves_what_the_kernel_leaves(told: dict[str, Told]) -> None:
    """Interrupts, softirqs and preemption are as they should be in and after each."""
    forms = told["forms"]
    forms.nothing_lost()
    taken = forms.calls("acquire", "forms_") + forms.calls("try", "forms_")
    released = forms.calls("release", "forms_")
    assert len(taken) == len(released) == 10 + 6 + 11 + 13 + 2
    for call, counts in taken:
        assert (counts.acquisitions, counts.holds) == (TIMES, TIMES), call
        assert (counts.contended, counts.trylock_failures, counts.releases) == (0, 0, 0), call
        assert 0 < counts.hold_sum <= TIMES * counts.hold_max
    assert {counts.releases for _, counts in released} == {TIMES}
    assert {call.kind for call, _ in taken} == {
        *("spin", "read", "write", "mutex", "rwsem-read", "rwsem-write", "bit")
    }


def test_locks_have_their_classes(told: dict[str, Told]) -> None:
    """One has a rule; the others are called after their members."""
    counts = {lock.lock: lock.acquisitions for lock in told["forms"].timed.locks}
    members = {"own": 10, "raw": 6, "rw": 11, "mutex": 5, "sem": 8, "word": 2}
    assert {lock: counts[lock] for lock in members} == {
        lock: TIMES * forms for lock, forms in members.items()
    }
    assert "other" not in counts


def test_some_holds_stand_for_all(told: dict[str, Told]) -> None:
    """All is counted, and one hold in eight of a spinning lock is timed, at random."""
    forms = told["sampled"]
    forms.nothing_lost()
    taken = forms.calls("acquire", "forms_") + forms.calls("try", "forms_")
    assert {counts.acquisitions for _, counts in taken} == {TIMES}
    sleeping = {"mutex", "rwsem-read", "rwsem-write"}
    assert {c.holds for call, c in taken if call.kind in sleeping} == {TIMES}
    spinning = [counts.holds for call, counts in taken if call.kind not in sleeping]
    # 29 forms, 23 times: 83, with a standard deviation below 9.
    assert 40 < sum(spinning) < 130
    assert len(set(spinning)) > 2


def test_a_downgrade_ends_one_hold_and_begins_another(told: dict[str, Told]) -> None:
    told["downgrade"].nothing_lost()
    kinds = {
        (call.action, call.kind): counts.acquisitions + counts.releases
        for call, counts in told["downgrade"].calls(function="downgrade")
        if call.expression == "&own->sem"
    }
    down = [c.acquisitions for call, c in told["downgrade"].calls("acquire", "downgrade")]
    assert down == [TIMES, TIMES]
    assert kinds["release", "rwsem-write"] == kinds["release", "rwsem-read"] == TIMES


def test_a_hold_is_as_long_as_it_is(told: dict[str, Told]) -> None:
    """200 us under each kind of lock, by the kernel's clock, come out as 200 us, within 5 %."""
    told["holds"].nothing_lost()
    for lock in ("own", "raw", "rw", "mutex", "sem", "word"):
        hold = told["holds"].series("hold", lock)
        assert hold.count == TIMES
        assert 0.99 * HOLD <= hold.min <= MARGIN * HOLD, (lock, hold)
        assert hold.sum >= TIMES * hold.min
        wait = told["holds"].series("wait", lock)
        assert (wait.count, wait.sum, wait.buckets) == (TIMES, 0, [(0, TIMES)])


def test_locks_need_not_be_released_in_order(told: dict[str, Told]) -> None:
    hand = told["hand_over_hand"]
    hand.nothing_lost()
    assert hand.nesting() == {("own", "inner"): TIMES}
    assert hand.series("hold", "own").min < HOLD / 4
    assert 0.99 * HOLD <= hand.series("hold", "inner").min <= MARGIN * HOLD


def test_nested_locks_are_counted_in_the_newest_that_is_held(told: dict[str, Told]) -> None:
    """Also a spinlock in a mutex, which is in another table."""
    told["nested"].nothing_lost()
    assert told["nested"].nesting() == {
        ("rw", "rw"): TIMES,
        ("mutex", "sem"): TIMES,
        ("sem", "own"): TIMES,
    }


def test_a_trylock_on_ones_own_lock_is_no_failure(told: dict[str, Told]) -> None:
    told["self_tries"].nothing_lost()
    assert told["self_tries"].timed.ledger.self_tries == 2 * TIMES
    assert all(not lock.trylock_failures for lock in told["self_tries"].timed.locks)


def test_interrupts_take_locks_while_others_are_held(told: dict[str, Told]) -> None:
    """An interrupt in a hold, and one in a softirq in a hold: no lock is taken for another's,
    and none counts as nested in what the interrupted code holds."""
    interrupts = told["interrupts"]
    interrupts.nothing_lost()
    counts = {lock.lock: lock.acquisitions for lock in interrupts.timed.locks}
    assert (counts["own"], counts["soft"]) == (TIMES, TIMES)
    assert counts["hard"] == 2 * TIMES
    assert interrupts.nesting() == {}
    assert interrupts.timed.ledger.self_tries == 2 * TIMES


def test_a_holder_may_go_to_another_cpu(told: dict[str, Told]) -> None:
    migration = told["migration"]
    migration.nothing_lost()
    assert migration.series("hold", "mutex").count == TIMES
    assert migration.nesting() == {("mutex", "sem"): TIMES}


def test_what_finds_no_room_is_in_the_ledger(told: dict[str, Told]) -> None:
    """All acquisitions and releases are counted; of nine, the hold is not timed."""
    ledger = told["overflow"].timed.ledger
    assert (ledger.held_overflows, ledger.unmatched_releases) == (MANY - DEEPEST, 0)
    assert (ledger.lost(), ledger.open_holds) == (MANY - DEEPEST, 0)
    many = next(lock for lock in told["overflow"].timed.locks if lock.lock == "many")
    assert (many.acquisitions, many.releases) == (MANY, MANY)
    assert told["overflow"].series("hold", "many").count == DEEPEST


def test_a_release_of_an_unknown_lock_is_in_the_ledger(told: dict[str, Told]) -> None:
    ledger = told["unmatched"].timed.ledger
    assert (ledger.unmatched_releases, ledger.held_overflows) == (TIMES, 0)


def test_failures_are_counted_and_are_no_acquisitions(told: dict[str, Told]) -> None:
    """Nor is a wait that a signal ended."""
    for name, tries in (("fail_sleeping", 3), ("fail_spin", 4)):
        told[name].nothing_lost()
        failed = [counts for _, counts in told[name].calls("try", "fail_")]
        assert [counts.trylock_failures for counts in failed] == [TIMES] * tries
        assert all(not counts.acquisitions for counts in failed)
        assert told[name].calls("acquire", "fail_") == []


@pytest.mark.parametrize(
    ("name", "lock"),
    [
        ("wait_spin", "own"),
        ("wait_irqsave", "own"),
        ("wait_read", "rw"),
        ("wait_bit", "word"),
        ("wait_mutex", "mutex"),
        ("retry", "own"),
        ("try_then_take", "own"),
    ],
)
def test_a_wait_is_as_long_as_the_waiter_says(told: dict[str, Told], name: str, lock: str) -> None:
    """From the first failed try, its own retries included, to the acquisition."""
    told[name].nothing_lost()
    wait = told[name].series("wait", lock)
    assert wait.count == 2 * TIMES  # the holder's, which are free, too
    counts = next(one for one in told[name].timed.locks if one.lock == lock)
    assert counts.contended == TIMES
    assert 0.95 * told[name].truth <= wait.sum <= told[name].truth
    assert wait.max >= 0.95 * WAIT
    (free,) = [count for bucket, count in wait.buckets if bucket == 0]
    assert free == TIMES
    failures = sum(one.trylock_failures for one in told[name].timed.locks)
    assert (failures > TIMES) == (name == "retry")
    assert (failures > 0) == (name in ("retry", "try_then_take"))


def test_who_gave_up_does_not_wait(told: dict[str, Told]) -> None:
    """A failed try, other locks, and the lock by another call much later."""
    told["give_up"].nothing_lost()
    counts = next(one for one in told["give_up"].timed.locks if one.lock == "own")
    assert (counts.trylock_failures, counts.contended) == (TIMES, 0)
    assert told["give_up"].series("wait", "own").sum == 0


def test_a_module_comes_and_goes(guest: Guest, own_module: Path) -> None:
    """Nothing of it stays, also if its own init fails; and it begins anew."""
    own = "/sys/kernel/debug/z3timed-timedlocks"
    result = guest(
        f"insmod {own_module}; ls {own}; rmmod timedlocks; wc -l < /proc/vmallocinfo\n"
        f"for i in $(seq 20); do insmod {own_module}; rmmod timedlocks; test ! -e {own}; done\n"
        f"insmod {own_module} fail=1 && exit 1; test ! -e {own}; wc -l < /proc/vmallocinfo\n"
        "dmesg | grep -i 'bug:' && exit 1; true"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    *files, before, after = result.stdout.split()
    assert files == ["classes", "figures"]
    # Two tables a CPU: what stayed of 21 times would be 84 areas of memory.
    assert abs(int(after) - int(before)) < 20


@pytest.fixture
def counted(kernel: fetch.Kernel) -> Path:
    workloads.build_workload(kernel, print)
    return build.build_variant(kernel, "mm/z3fold.c", load("counted"), print, timed=True).path


def test_what_is_counted_twice_is_equal(guest: Guest, counted: Path, tmp_path: Path) -> None:
    """200 000 operations on two CPUs, with reclaim and refused evictions; make bench has a
    million."""
    out, script = tmp_path / "counts.json", Path(__file__).parents[1] / "bench/timed.py"
    result = guest(f"{sys.executable} {script} counts {counted} {out} 200000")
    assert result.returncode == 0, result.stdout + result.stderr
    found: dict[str, Any] = json.loads(out.read_bytes())
    assert found["calls"] >= 200_000
    assert found["truth"] == found["timed"]
    assert found["truth"]["spin_try_failed"] > 0
    assert found["lost"] == 0


def test_any_source_of_the_kernel_can_be_timed(kernel: fetch.Kernel) -> None:
    for source in ("mm/zbud.c", "mm/zsmalloc.c"):
        module = build.build_variant(kernel, source, load("stock"), print, timed=True)
        facts = json.loads(module.path.with_name("facts.json").read_bytes())
        assert len(facts["calls"]) > 10
