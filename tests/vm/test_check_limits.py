"""Rules whose measure the user gives: a limit, a contract, a reference; and Ctrl-C."""

import json
from pathlib import Path

import msgspec
import pytest
from checksamples import clean

from vm.conftest import Guest, z3trace
from z3trace.analysis.checks import judgement
from z3trace.analysis.report import checkformats
from z3trace.bpf.programs import probe_source
from z3trace.target import definition

pytestmark = pytest.mark.vm
WORKLOAD = "zpool-bench:threads=1,ops=2000,slots=64"


def _promising() -> str:
    """z3fold's target with a contract that it does not keep."""
    shipped = (probe_source() / "targets/z3fold.toml").read_text()
    promised = shipped.replace("[operations.map]\n", '[operations.map]\nholds = ["page"]\n')
    assert promised != shipped
    return promised


def test_a_limit_a_contract_and_a_reference_are_judged(guest: Guest, tmp_path: Path) -> None:
    (tmp_path / "promising.toml").write_text(_promising())
    assert definition.load(str(tmp_path / "promising.toml")).operations["map"].holds == ["page"]
    # The reference took locks of one class at a time.
    before = msgspec.structs.replace(judgement.report(clean()), order=[])
    (tmp_path / "reference.json").write_text(checkformats.as_json(before))
    result = guest(
        f"{z3trace()} check --load --locks hybrid -o out --workload {WORKLOAD} "
        "--target promising.toml --long-hold 0.001ms --reference reference.json "
        "|| echo status $?\n",
        deadline="8m",
    )
    assert "status 3" in result.stdout, result.stdout + result.stderr
    report = json.loads((tmp_path / "out/check.json").read_bytes())
    told: dict[str, list[dict[str, object]]] = {}
    for violation in report["violations"]:
        told.setdefault(str(violation["rule"]), []).append(violation)
    assert set(told) == {"long-hold", "unheld-at-return", "new-nesting"}
    assert {one["operation"] for one in told["unheld-at-return"]} == {"map"}
    assert (
        sum(int(str(one["count"])) for one in told["unheld-at-return"])
        == (report["exercised"]["operations"]["map"])
    )
    assert {one["lock"] for one in told["long-hold"]} >= {"pool"}
    pairs = {(edge["held"], edge["acquired"]) for edge in report["order"]}
    assert pairs
    assert len(told["new-nesting"]) == len(pairs)


def test_an_interrupted_check_judges_what_it_saw(guest: Guest, tmp_path: Path) -> None:
    result = guest(
        f"{z3trace()} check --load -o out --duration 300s > said 2>&1 &\n"
        "until grep -q '\"progress\"' out/check.z3c* 2>/dev/null; do sleep 0.5; done; sleep 2\n"
        "kill -INT $!; wait $! && echo status 0 || echo status $?\n"
        "cat said; test ! -s /sys/kernel/tracing/kprobe_events\n"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "status 0" in result.stdout, result.stdout
    assert "interrupted: judged up to then" in result.stdout
    assert json.loads((tmp_path / "out/check.json").read_bytes())["interrupted"] is True
