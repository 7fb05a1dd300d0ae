"""A command as a workload: its status, its last words, its memory."""

import signal
import sys
import time
from contextlib import suppress

import pytest
from memory import peak_mb

from z3trace.errors import UsageError
from z3trace.workloads import output
from z3trace.workloads.command import Command, Duration
from z3trace.workloads.output import OUTPUT_LIMIT


def test_status_and_output_are_kept() -> None:
    result = Command(["sh", "-c", "echo said; echo and this >&2; exit 3"]).run()
    assert (result.status, result.output) == (3, "said\nand this\n")
    assert result.elapsed > 0


def test_a_command_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="cannot run nothing-of-this-name"):
        Command(["nothing-of-this-name"]).run()


def test_of_much_output_the_end_is_kept_in_little_memory() -> None:
    """800 MB took 1.6 GB."""
    before = peak_mb()
    result = Command(["sh", "-c", "head -c 400M /dev/zero | tr '\\0' x; echo last"]).run()
    assert peak_mb() - before < 50
    assert len(result.output) == OUTPUT_LIMIT
    assert result.output.endswith("xlast\n")


@pytest.mark.timeout(20)
def test_a_child_left_behind_does_not_hold_the_run() -> None:
    began = time.monotonic()
    result = Command(["sh", "-c", "sleep 15 & echo started"]).run()
    assert time.monotonic() - began < 5
    assert result.output.startswith("started\n")
    assert output.LEFT_BEHIND in result.output
    # Not the time that its output was waited for.
    assert result.elapsed < output._PATIENCE * 1e9


def test_bytes_that_are_no_text_are_replaced() -> None:
    result = Command(["printf", "\\377\\376x"]).run()
    assert result.output == "\ufffd\ufffdx"


@pytest.mark.timeout(20)
def test_an_interrupt_reaches_the_command() -> None:
    """It is told, and has a time to end by itself."""
    code = "import signal, sys, time\nsignal.signal(signal.SIGINT, lambda *_: sys.exit(0))\ntime.sleep(15)"
    command = Command([sys.executable, "-c", code])
    old = signal.signal(signal.SIGALRM, signal.default_int_handler)
    began = time.monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, 1.5)
        with suppress(KeyboardInterrupt):
            command.run()
            pytest.fail("not interrupted")
    finally:
        signal.signal(signal.SIGALRM, old)
    assert time.monotonic() - began < 8


def test_the_seed_reaches_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("Z3TRACE_SEED", raising=False)
    command = Command(["sh", "-c", "echo $Z3TRACE_SEED"])
    command.prepare(42, fast=False)
    assert command.run().output == "42\n"
    command.finish()


def test_a_duration_lasts_that_long() -> None:
    result = Duration(0.2).run()
    assert 0.2e9 <= result.elapsed < 2e9
    assert Duration(1.5).command == ["--duration", "1.5s"]
