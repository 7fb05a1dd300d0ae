"""A workload's module as its files in debugfs, which the test makes up."""

import json
from pathlib import Path

import pytest

from z3trace.errors import CannotTraceError, Z3traceError
from z3trace.workloads import bench, zs_bench
from z3trace.workloads.bench import Bench
from z3trace.workloads.zpool_bench import ZpoolBench
from z3trace.workloads.zs_bench import ZsBench

RESULT = {
    "elapsed_ns": 5,
    "facts": {"corrupted": 0, "migrated": 7},
    "operations": {
        "alloc": {"calls": 3, "failures": 1, "buckets": [[4, 3]]},
        "compact": {"calls": 2, "failures": 0},
    },
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(bench, "_FILES", tmp_path)
    monkeypatch.setattr(zs_bench, "_MODULES", tmp_path / "module")
    for module in (ZpoolBench, ZsBench):
        there = tmp_path / module.NAME.replace("-", "_")
        there.mkdir()
        names = [*module.DEFAULTS, "seed", "run", "teardown"]
        names += ["beside"] if module is ZsBench else []
        for name in names:
            (there / name).touch()
        (there / "result").write_text(json.dumps(RESULT))
    return tmp_path


def _told(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir() if path.name != "result"}


def test_every_parameter_is_written_before_a_run(files: Path) -> None:
    work = ZsBench.parse("threads=2,ops=50,fast_ops=900,compact=3", None)
    work.prepare(9, fast=False, clocked=True, own_lock=True)
    told = _told(files / "zs_bench")
    assert (told["threads"], told["ops"], told["compact"], told["seed"]) == ("2", "50", "3", "9")
    assert (told["histogram"], told["own_lock"], told["beside"]) == ("1", "1", "0")
    assert told["run"] == ""
    work.prepare(10, fast=True)
    told = _told(files / "zs_bench")
    assert (told["ops"], told["histogram"], told["own_lock"]) == ("900", "0", "0")


def test_the_copy_is_driven_where_there_is_one(files: Path) -> None:
    (files / "module/zsmalloc_beside").mkdir(parents=True)
    work = ZsBench.parse("", None)
    work.prepare(1, fast=False)
    assert _told(files / "zs_bench")["beside"] == "1"
    assert work.driven() == "zsmalloc_beside"


@pytest.mark.parametrize("module", [ZpoolBench, ZsBench])
def test_what_the_module_counted_is_the_result(files: Path, module: type[Bench]) -> None:
    result = module.parse("", None).run()
    assert (result.status, result.elapsed, result.facts["migrated"]) == (0, 5, 7)
    assert [(o.operation, o.calls, o.failures, o.buckets) for o in result.operations] == [
        ("alloc", 3, 1, [(4, 3)]),
        ("compact", 2, 0, []),
    ]


def test_a_damaged_object_fails_the_run(files: Path) -> None:
    told = json.dumps({**RESULT, "facts": {"corrupted": 1}})
    (files / "zs_bench/result").write_text(told)
    result = ZsBench.parse("", None).run()
    assert result.status == 1
    assert "bytes were not what was written" in result.output


def test_a_module_that_is_not_there_is_said_with_what_builds_it(files: Path) -> None:
    for path in (files / "zs_bench").iterdir():
        path.unlink()
    (files / "zs_bench").rmdir()
    with pytest.raises(CannotTraceError, match="zs_bench is not loaded") as raised:
        ZsBench.parse("", None).prepare(1, fast=False)
    assert "kernel build --workload zs-bench" in str(raised.value.hint)
    with pytest.raises(Z3traceError, match="cannot drive zs_bench"):
        ZsBench.parse("", None)._write("run", "1")


def test_a_run_that_fails_names_what_is_driven(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(19, "No such device")

    monkeypatch.setattr(Bench, "_write", refuse)
    with pytest.raises(Z3traceError, match="zpool-bench did not run: No such device") as raised:
        ZpoolBench.parse("type=zbud", None).run()
    assert "is zbud loaded" in str(raised.value.hint)
