"""``ab`` of two whole kernels, the guests made up: in which order they are booted, what they
are asked for, and what becomes of their recordings."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec import structs
from samples import recording, write

from z3trace import cli
from z3trace.data.model import Environment
from z3trace.errors import GuestLostError
from z3trace.guest import vm
from z3trace.guest.spec import PairSpec
from z3trace.kernels import own, workloads

Run = Callable[..., tuple[int, str]]


class Guests:
    """What was booted: (kernel, what it was asked for); *lost*: the number of one that is."""

    def __init__(self) -> None:
        self.booted: list[tuple[str, PairSpec]] = []
        self.lost = 0

    def run_half(
        self, kernel: SimpleNamespace, verb: str, spec: PairSpec, *more: object
    ) -> vm.Outcome:
        home = more[2]
        assert verb == "ab-guest"
        assert isinstance(home, vm.Home)
        self.booted.append((kernel.own, spec))
        if len(self.booted) == self.lost:
            raise GuestLostError("the guest was lost: it died")
        (side,) = spec.sides
        made = recording(side.label, runs=2, scale=4 if kernel.own == "new" else 1)
        environment = Environment(kernel="6.1.9", kernel_version=kernel.own)
        session = structs.replace(made.session, environment=environment)
        runs = [structs.replace(run, seed=spec.seed + run.seed) for run in made.runs]
        write(home.directory / side.output, structs.replace(made, session=session, runs=runs))
        return vm.Outcome(0, "", 1.0, (), home.files)


@pytest.fixture
def guests() -> Guests:
    return Guests()


@pytest.fixture
def run(
    guests: Guests,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    monkeypatch.setattr(vm, "run_half", guests.run_half)
    monkeypatch.setattr(workloads, "build_workloads", lambda *_: None)
    monkeypatch.setattr(own, "is_taken", lambda _: True)

    def load(path: Path) -> SimpleNamespace:
        return SimpleNamespace(own=path.name, release="6.1.9", called=f"6.1.9-{path.name}")

    monkeypatch.setattr(own, "load", load)
    for name in ("old", "new"):
        (tmp_path / name).mkdir()

    def command(*words: str, kernels: tuple[str, ...] = ("old", "new")) -> tuple[int, str]:
        named = [word for name in kernels for word in ("--kernel", str(tmp_path / name))]
        out = ["-o", str(tmp_path / "out"), "--target", "zsmalloc"]
        status = cli.run(["ab", *named, *out, *words])
        said = capsys.readouterr()
        return status, said.out + said.err

    return command


def test_kernels_are_booted_in_turn(run: Run, guests: Guests, tmp_path: Path) -> None:
    status, said = run("--boots=7", "--runs=20")
    assert status == 0, said
    assert [name for name, _ in guests.booted] == [
        *("old", "new", "new", "old", "old", "new", "new"),
        *("old", "old", "new", "new", "old", "old", "new"),
    ]
    names = [spec.sides[0].output for _, spec in guests.booted]
    assert names[:4] == ["before-01.z3t", "after-01.z3t", "after-02.z3t", "before-02.z3t"]
    assert "boot 3/14: after, 6.1.9-new" in said
    report = (tmp_path / "out/report.txt").read_text()
    assert "the boot is the unit" in report
    assert "7 boots" in report


def test_the_kernel_has_its_own_target_and_the_runs_are_spread_over_its_boots(
    run: Run, guests: Guests
) -> None:
    run("--boots=7", "--runs=20")
    for _, spec in guests.booted:
        assert [(side.module, side.timed) for side in spec.sides] == [("", "")]
        assert spec.runs["none"] == 3


def test_both_sides_have_the_same_seeds_and_boots_of_one_side_others(
    run: Run, guests: Guests
) -> None:
    run("--boots=3", "--runs=30")
    seeds = {
        name: [spec.seed for kernel, spec in guests.booted if kernel == name]
        for name in ("old", "new")
    }
    assert seeds["old"] == seeds["new"]
    assert len(set(seeds["old"])) == 3


def test_few_boots_are_said_before_anything_is_booted(run: Run) -> None:
    _, said = run("--boots=2")
    assert "2 boots a side are too few to tell any difference" in said.partition("boot 1/")[0]


def test_what_was_recorded_before_a_guest_was_lost_stays(
    run: Run, guests: Guests, tmp_path: Path
) -> None:
    guests.lost = 3
    status, said = run("--boots=4")
    assert status == 128, said
    there = {path.name for path in (tmp_path / "out/boots").iterdir()}
    assert {"before-01.z3t", "after-01.z3t"} <= there
    assert not (tmp_path / "out/report.txt").exists()
    status, said = run("--boots=4")
    assert status == 2
    assert "exists" in said


def test_boots_of_an_earlier_comparison_are_not_taken_for_these(
    run: Run, guests: Guests, tmp_path: Path
) -> None:
    run("--boots=7")
    guests.booted.clear()
    guests.lost = 1
    run("--boots=7", "--force")
    assert list((tmp_path / "out/boots").glob("*.z3t")) == []


@pytest.mark.parametrize(
    ("words", "kernels", "told"),
    [
        (("--before", "stock"), ("old", "new"), "compared as they are"),
        (("--release", "6.1"), ("old", "new"), "--kernel and --release name two kernels"),
        ((), ("old", "new", "old"), "more than twice"),
    ],
)
def test_what_two_kernels_have_no_place_for_is_refused(
    run: Run, guests: Guests, words: tuple[str, ...], kernels: tuple[str, ...], told: str
) -> None:
    status, said = run(*words, kernels=kernels)
    assert status == 2
    assert told in said
    assert guests.booted == []


def test_the_same_kernel_twice_is_said(run: Run) -> None:
    _, said = run("--boots=7", kernels=("old", "old"))
    assert "both sides are the same kernel" in said
