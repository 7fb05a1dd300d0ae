"""The end of a guest's kernel, from its console."""

import subprocess
import sys
from pathlib import Path

import consolesamples as console
import memory
import msgspec
import pytest
from checksamples import ARMED, clean, progress

from z3trace.analysis.checks import judgement
from z3trace.analysis.checks.hang import hang


def test_a_lost_guest_is_told_from_its_console() -> None:
    text = "\n".join(
        [
            console.printed("double-acquire", site=3),
            console.printed("stuck-wait", time=ARMED + 2_000_000_000, other_task=7),
            console.printed("condition-met", site=0),
            "[   22.0] watchdog: BUG: soft lockup - CPU#1 stuck for 10s! [worker:7]",
            "[   22.0] RAX: 0000000000000000 RBX: 0000000000000000",
            "[   22.0]  z3fold_free+0x62/0x560 [z3fold]",
        ]
    )
    unfinished = msgspec.structs.replace(
        clean(), end=None, progress=progress(elapsed=1_000_000_000, reached=[])
    )
    report = judgement.report(unfinished, text, "the guest was lost: soft lockup")
    assert [(v.rule, v.operation, v.line) for v in report.violations] == [
        ("double-acquire", "free", 210),
        ("stuck-wait", "free", 100),
    ]
    assert report.violations[1].instances[0].other_task == 7
    assert report.violations[0].instances[0].task_name == "worker"
    assert report.exercised.conditions[0].count == 1
    assert report.hang is not None
    assert report.hang.reason == "soft lockup"
    assert report.hang.uncounted == pytest.approx(1.0)
    assert [line[:10] for line in report.hang.trace] == ["watchdog: ", " z3fold_fr"]


def test_a_guest_that_is_not_lost_has_no_hang() -> None:
    assert hang(clean(), [], "BUG: something", "") is None


def test_a_long_trace_is_cut() -> None:
    trace = "\n".join(["Kernel panic - not syncing", *(f" f{i}+0x1/0x2" for i in range(200))])
    found = hang(clean(), [], trace, "the guest was lost: panic")
    assert found is not None
    assert len(found.trace) == 48
    assert found.trace[0].startswith("Kernel panic")


_COSTS = """
import sys, time
sys.path.insert(0, sys.argv[1])
from memory import peak_mb
import consolesamples, msgspec
from checksamples import clean
from z3trace.analysis.checks import judgement
line = {
    "incidents": consolesamples.printed("long-hold") + "\\n",
    "steps": consolesamples.line(1, [1, 2] + [3] * 8) + "\\n",
    "marks": "z3t-check0",
    "broken": "z3t-check0" + " 1" * 9 + " x\\n",
    "wide": "x" * 2000 + "\\n",
    "lines": "x\\n",
    "one line": "x",
    "blanks": "z3t-check0" + " 1" * 10 + " " * 4000,
}[sys.argv[2]]
text = line * ((64 << 20) // len(line))
lost = msgspec.structs.replace(clean(), end=None)
start = time.process_time()
judgement.report(lost, text, "the guest was lost: panic")
print(time.process_time() - start, peak_mb())
"""


@pytest.mark.parametrize(
    "kind", ["incidents", "steps", "marks", "broken", "wide", "lines", "one line", "blanks"]
)
def test_a_console_of_64_mib_costs_little(kind: str) -> None:
    """Of 64 MiB of what a stranger's guest may print: CPU seconds and memory."""
    tests = Path(memory.__file__).parent
    result = subprocess.run(
        [sys.executable, "-c", _COSTS, str(tests), kind],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    seconds, peak = map(float, result.stdout.split())
    assert seconds < 3
    assert peak < 300
