"""The disk of the workload ``zram``, in files that the test makes up."""

from pathlib import Path

import pytest

from z3trace.errors import CannotTraceError
from z3trace.workloads import modules, zram, zswap
from z3trace.workloads.zram import Zram
from z3trace.workloads.zswap import Zswap

PROGRAM = """#!/bin/sh
echo "$@" >> {told}
echo "{said}"
echo oops >&2
exit {status}
"""


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(zram, "_CONTROL", tmp_path / "control")
    monkeypatch.setattr(zram, "_DEVICES", tmp_path / "block")
    monkeypatch.setattr(modules, "remove", (tmp_path / "removed").write_text)
    for path in ("control", "block/zram3"):
        (tmp_path / path).mkdir(parents=True)
    (tmp_path / "control/hot_add").write_text("3\n")
    (tmp_path / "block/zram3/mm_stat").write_text("  4096  2048 8192 0 8192 0 0 0 0\n")
    return tmp_path


def _program(directory: Path, said: str, status: int = 0) -> Path:
    path = directory / "program"
    path.write_text(PROGRAM.format(told=directory / "told", said=said, status=status))
    path.chmod(0o755)
    return path


def test_a_disk_is_made_driven_and_gone(kernel: Path) -> None:
    said = "written 5 read 4 discarded 1"
    work = Zram.parse("mb=8,threads=3,discard=10", _program(kernel, said))
    work.prepare(7, fast=False)
    assert (kernel / "block/zram3/disksize").read_text() == "8M"
    result = work.run()
    compact = kernel / "block/zram3/compact"
    assert (kernel / "told").read_text() == f"/dev/zram3 2048 3 2 10 7 {compact}\n"
    assert result.status == 0
    assert result.facts == {
        "pages_written": 5,
        "pages_read": 4,
        "pages_discarded": 1,
        "zram_orig_data_size": 4096,
        "zram_compr_data_size": 2048,
        "zram_mem_used_total": 8192,
    }
    work.finish()
    assert (kernel / "block/zram3/reset").read_text() == "1"
    assert (kernel / "control/hot_remove").read_text() == "3"
    assert (kernel / "removed").read_text() == "zram"


def test_without_compaction_the_program_gets_no_file_for_it(kernel: Path) -> None:
    work = Zram.parse("compact=0", _program(kernel, ""))
    work.prepare(7, fast=True)
    work.run()
    assert (kernel / "told").read_text() == "/dev/zram3 8192 2 2 25 7\n"


def test_a_damaged_page_is_a_failure_with_what_was_said(kernel: Path) -> None:
    work = Zram.parse("", _program(kernel, "page 3 is damaged", status=1))
    work.prepare(7, fast=False)
    result = work.run()
    assert result.status == 1
    assert result.output == "page 3 is damaged\noops\n"
    assert "pages_written" not in result.facts


def test_what_is_missing_is_said(kernel: Path) -> None:
    with pytest.raises(CannotTraceError, match="zram_io is not built"):
        Zram.parse("", None).prepare(1, fast=False)
    (kernel / "control/hot_add").unlink()
    with pytest.raises(CannotTraceError, match="cannot make a zram disk: No such file"):
        Zram.parse("", _program(kernel, "")).prepare(1, fast=False)


def test_zswap_without_a_choice_of_pools_has_zsmalloc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zswap, "_PARAMETERS", tmp_path)
    with pytest.raises(CannotTraceError, match="has no pool type zbud: it has zsmalloc only"):
        Zswap.parse("type=zbud", tmp_path / "program").prepare(1, fast=False)
    Zswap.parse("", None)._choose_pool()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "zpool").write_text("zbud\n")
    work = Zswap.parse("type=zsmalloc", None)
    work._choose_pool()
    assert (tmp_path / "zpool").read_text() == "zsmalloc"
    work._before.clear()
