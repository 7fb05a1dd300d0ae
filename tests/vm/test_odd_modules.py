"""Modules whose code has odd shapes: what is seen of them is what they did, and what cannot
be seen is told."""

import gzip
import json
import lzma
import shutil
from pathlib import Path

import pytest
import zstandard

from vm.conftest import Guest, recorded, z3trace
from z3trace import tools
from z3trace.data import checkfile
from z3trace.data.model import Recording, Run
from z3trace.kernels import fetch

pytestmark = pytest.mark.vm

HERE = Path(__file__).parent / "oddlocks"
#: Calls of each scenario.
TIMES = 1000
RUN = "/sys/module/odd_locks/parameters/run"


def _built(kernel: fetch.Kernel, directory: Path, flags: str = "") -> Path:
    """The module of ``oddlocks``, built in a directory of its own."""
    shutil.copytree(HERE, directory)
    kbuild = f"obj-m := odd-locks.o\nodd-locks-y := first.o second.o\nccflags-y := {flags}\n"
    (directory / "Kbuild").write_text(kbuild)
    tools.run(["make", "-C", kernel.headers, f"M={directory}", "modules"], doing="building")
    return directory / "odd-locks.ko"


def _run(recording: Recording) -> Run:
    (run,) = recording.runs
    return run


def _sites(recording: Recording) -> dict[str, dict[str, int]]:
    """Function -> events seen at its call sites, over all functions of the name."""
    functions = {site.number: site.function for site in recording.session.sites}
    counted: dict[str, dict[str, int]] = {}
    for site in _run(recording).sites:
        row = counted.setdefault(functions[site.site], {})
        for name in ("acquisitions", "releases", "trylock_failures"):
            row[name] = row.get(name, 0) + getattr(site, name)
    return counted


def test_what_odd_code_does_is_seen_or_said_not_to_be(
    guest: Guest, kernel: fetch.Kernel, tmp_path: Path
) -> None:
    module = _built(kernel, tmp_path / "odd")
    target = f"--target odd/target.toml --module odd/{module.name}"
    both, jump = (f"sh -c 'echo {name} {TIMES} > {RUN}'" for name in ("both", "jump"))
    result = guest(
        f"insmod odd/{module.name}\n"
        f"{z3trace()} record --no-calibrate {target} -o both.z3t -- {both}\n"
        f"{z3trace()} record --no-calibrate --locks hybrid {target} -o jump.z3t -- {jump}\n"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    # Two functions of one name, one called twice as often as the other; and a clone.
    assert "operation work: odd_locks has work (2 functions), and all count as it" in result.stderr
    calls = {op.operation: op.entries for op in _run(recorded(tmp_path / "both.z3t")).operations}
    assert calls == {"work": 3 * TIMES, "cloned": TIMES}
    seen = _sites(recorded(tmp_path / "both.z3t"))
    assert seen["work"] == {
        "acquisitions": 3 * TIMES,
        "releases": 3 * TIMES,
        "trylock_failures": 0,
    }
    # Jumps to lock functions: not seen at the calls, and told at once; seen by hybrid.
    told = "2 of 10 lock call sites cannot be seen, in odd_take, odd_try"
    lines = result.stderr.splitlines()
    at = next(n for n, line in enumerate(lines) if told in line)
    assert "--locks hybrid sees them" in lines[at]
    assert lines[at + 1].startswith("run 1/1"), "before the workload ran"
    assert sum(told in line for line in lines) == 1
    jumped = recorded(tmp_path / "jump.z3t")
    assert all(site.attached for site in jumped.session.sites)
    seen = _sites(jumped)
    assert seen["odd_take"]["acquisitions"] == TIMES
    assert seen["odd_try"]["acquisitions"] == TIMES
    assert seen["jump"]["releases"] == 2 * TIMES
    ledger = _run(jumped).ledger
    assert ledger is not None
    assert (ledger.lost(), ledger.open_holds, ledger.self_tries) == (0, 0, TIMES)
    (own,) = (lock for lock in _run(jumped).locks if lock.lock == "own")
    assert own.acquisitions == own.releases == 2 * TIMES


def _check(guest: Guest, module: Path, scenario: str, mode: str) -> tuple[int, dict[str, object]]:
    """(exit status, report) of a check of one scenario of a module."""
    directory = module.parent
    target = f"--target {directory.name}/target.toml --module {directory.name}/{module.name}"
    result = guest(
        f"insmod {directory.name}/{module.name}\n"
        f"{z3trace()} check --locks {mode} {target} -o out-{mode}-{scenario} "
        f"-- sh -c 'echo {scenario} {TIMES} > {RUN}' || echo status $?\n"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    report = directory.parent / f"out-{mode}-{scenario}/check.json"
    status = int(result.stdout.rpartition("status ")[2]) if "status " in result.stdout else 0
    return status, json.loads(report.read_bytes())


def test_a_check_sees_locks_that_are_taken_by_a_jump(
    guest: Guest, kernel: fetch.Kernel, tmp_path: Path
) -> None:
    module = _built(kernel, tmp_path / "odd")
    status, report = _check(guest, module, "jump", "hybrid")
    assert (status, report["verdict"]) == (0, "clean")
    assert report["not_judged"] == {"free-while-held": "the target names no function that frees"}


def test_a_release_that_nothing_sees_makes_no_violation(
    guest: Guest, kernel: fetch.Kernel, tmp_path: Path
) -> None:
    """It leaves its lock among those that the task holds: asked for again, and held while
    the task sleeps, as far as was seen."""
    module = _built(kernel, tmp_path / "hidden", "-DODD_HIDDEN")
    status, report = _check(guest, module, "hidden", "hybrid")
    assert report["violations"] == []
    assert (status, report["verdict"]) == (6, "incomplete")
    not_judged = report["not_judged"]
    assert isinstance(not_judged, dict)
    assert {"double-acquire", "sleep-in-atomic", "release-unheld", "long-hold"} <= set(not_judged)
    assert "odd_hide" in not_judged["double-acquire"]


def test_what_a_packaged_module_hides_is_said_by_record_and_by_compare(
    guest: Guest, tmp_path: Path
) -> None:
    work = "--workload zpool-bench:threads=2,ops=2000"
    result = guest(
        "modprobe z3fold\n"
        f"{z3trace()} record --no-calibrate -o default.z3t {work}\n"
        f"{z3trace()} record --no-calibrate --locks hybrid -o hybrid.z3t {work}\n"
        f"{z3trace()} compare default.z3t default.z3t || echo status $?\n"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    first, _, second = result.stderr.partition("Wrote default.z3t")
    unseen = [
        site for site in recorded(tmp_path / "default.z3t").session.sites if not site.attached
    ]
    whole = recorded(tmp_path / "hybrid.z3t").session.sites
    told = f"{len(unseen)} of {len(whole)} lock call sites"
    assert unseen
    assert f"{told} cannot be seen" in first + second
    assert "--locks hybrid sees them" in first + second
    assert "events were lost" in result.stderr
    assert f"{told} were not seen" in result.stderr, "why there is no comparison"
    assert "record again with --locks hybrid" in result.stderr
    assert "lighter load" not in result.stderr
    assert "status 5" in result.stdout
    assert all(site.attached for site in whole)
    ledger = _run(recorded(tmp_path / "hybrid.z3t")).ledger
    assert ledger is not None
    assert ledger.lost() == 0


def test_two_recordings_at_once_are_both_right_and_not_in_one_file(
    guest: Guest, tmp_path: Path
) -> None:
    command = f"{z3trace()} record --no-calibrate --locks hybrid"
    result = guest(
        "modprobe z3fold\n"
        f"({command} -o long.z3t --duration 20s > one 2>&1; echo status $? >> one) &\n"
        "until grep -q Ctrl-C one; do sleep 0.3; done\n"
        f"{command} -o long.z3t --duration 1s > same 2>&1 || echo same $?\n"
        f"{command} -o short.z3t --workload zpool-bench:ops=2000 2>&1\n"
        "wait; cat one same\n",
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "same 2" in result.stdout
    assert "long.z3t.part is being written by another process" in result.stdout
    assert "status 0" in result.stdout
    for name in ("long", "short"):
        ledger = _run(recorded(tmp_path / f"{name}.z3t")).ledger
        assert ledger is not None
        assert (ledger.skipped_programs, ledger.lost()) == (0, 0), name
    assert recorded(tmp_path / "long.z3t").session.workload == "whatever runs, for 20 s"


def test_auto_takes_what_it_says_and_keeps_why(guest: Guest, tmp_path: Path) -> None:
    result = guest(
        f"{z3trace()} record --load --locks auto -o auto.z3t --workload zpool-bench:ops=2000\n"
        f"{z3trace()} show auto.z3t\n"
        f"{z3trace()} check --load --locks auto -o out --workload zpool-bench:ops=2000\n"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    session = recorded(tmp_path / "auto.z3t").session
    assert session.lock_mode in ("hybrid", "function"), "some calls cannot carry a probe"
    said = f"--locks auto takes {session.lock_mode}: {session.lock_choice}"
    assert said in result.stderr
    assert "a lock pair costs" in session.lock_choice
    assert f"--locks auto took {session.lock_mode}" in result.stdout
    assert all(site.attached for site in session.sites)
    header = checkfile.read(tmp_path / "out/check.z3c").header
    assert header.lock_mode in ("hybrid", "function")
    assert f"--locks auto takes {header.lock_mode}: {header.lock_choice}" in result.stderr


def test_a_child_that_a_command_leaves_behind_is_no_part_of_its_run(
    guest: Guest, tmp_path: Path
) -> None:
    result = guest(
        "modprobe z3fold\n"
        f"{z3trace()} record --no-calibrate -o x.z3t -- sh -c 'sleep 45 & echo started' 2>&1\n"
        "pkill -x sleep\n"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert _run(recorded(tmp_path / "x.z3t")).result.elapsed < 10e9
    assert "a process that the command started still runs" in result.stdout


def test_packed_modules_are_loaded_and_seen(
    guest: Guest, kernel: fetch.Kernel, tmp_path: Path
) -> None:
    module = _built(kernel, tmp_path / "odd")
    packers = {"xz": lzma.compress, "gz": gzip.compress, "zst": zstandard.compress}
    for ending, pack in packers.items():
        module.with_name(f"{module.name}.{ending}").write_bytes(pack(module.read_bytes()))
    result = guest(
        "for packed in xz gz zst; do\n"
        f"{z3trace()} record --no-calibrate --load --target odd/target.toml "
        f"--module odd/odd-locks.ko.$packed -o $packed.z3t -- sh -c 'echo both {TIMES} > {RUN}'\n"
        "done\n"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    for packed in packers:
        assert _sites(recorded(tmp_path / f"{packed}.z3t"))["work"]["releases"] == 3 * TIMES
