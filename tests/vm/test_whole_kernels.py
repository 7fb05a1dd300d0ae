"""Two whole kernels of the packaged source, with and without a line in built-in code: built,
booted and compared.  ``make whole`` runs it: the first build takes ten minutes."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from vm.conftest import recorded
from z3trace.kernels import own

pytestmark = pytest.mark.vm
#: A delay while the lock of the size classes is held, in every allocation.
PATCH = Path(__file__).parent / "whole" / "slow-malloc.patch"
#: The source and what is compiled of it stay: the next time, little is to be done.
HOME = Path(__file__).parents[2] / "build" / "whole"


def _z3trace(*words: str | Path, directory: Path | None = None) -> tuple[str, str]:
    """What a verb printed and said; it must end well."""
    command = [sys.executable, "-m", "z3trace", *map(str, words)]
    result = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=3600, check=False
    )
    sys.stderr.write(result.stderr)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip(), result.stderr


@dataclass(frozen=True)
class Kernels:
    tree: Path
    before: Path
    after: Path


@pytest.fixture(scope="module")
def kernels() -> Kernels:
    tree = HOME / "linux"
    if not tree.exists():
        _z3trace("kernel", "source", tree, "--release", "6.1")
    before, _ = _z3trace("kernel", "make", tree)
    after, said = _z3trace("kernel", "make", tree, "--patch", PATCH)
    assert "incremental build: " in said
    return Kernels(tree, Path(before), Path(after))


def test_they_differ_in_one_thing_and_have_one_release(kernels: Kernels) -> None:
    before, after = own.load(kernels.before), own.load(kernels.after)
    assert before.release == after.release
    assert before.own != after.own
    texts = [kernel.source("mm/zsmalloc.c").read_text() for kernel in (before, after)]
    assert ["cpu_relax();" in text for text in texts] == [False, True]


@pytest.mark.parametrize("which", ["before", "after"])
def test_each_boots_and_is_itself(kernels: Kernels, which: str, tmp_path: Path) -> None:
    kernel = own.load(getattr(kernels, which))
    script = "uname -r; zcat /proc/config.gz | grep -c =y; ls /lib/modules/$(uname -r)"
    words = ("vm", "--kernel", kernel.directory, "--", "sh", "-ec", script)
    out, _ = _z3trace(*words, directory=tmp_path)
    release, options, *files = out.split()
    assert release == kernel.release
    assert int(options) > 100
    assert "modules.builtin" in files


def test_the_tree_itself_can_be_named(kernels: Kernels, tmp_path: Path) -> None:
    """It is what was built last."""
    out, _ = _z3trace("vm", "--kernel", kernels.tree, "--", "uname", "-r", directory=tmp_path)
    assert out == own.load(kernels.after).release


def test_every_call_of_the_built_in_target_is_recorded(kernels: Kernels, tmp_path: Path) -> None:
    words = ["record", "--kernel", kernels.before, "--target", "zsmalloc", "-o", "x.z3t"]
    words += ["--workload", "zs-bench:threads=2,ops=20000", "--no-calibrate"]
    _z3trace(*words, directory=tmp_path)
    recording = recorded(tmp_path / "x.z3t")
    assert recording.session.module.origin == "builtin"
    truth = {each.operation: each.calls for each in recording.runs[0].result.operations}
    seen = {each.operation: each.returns for each in recording.runs[0].operations}
    assert seen["alloc"] == truth["alloc"] > 0
    assert recording.runs[0].ledger is not None
    assert recording.runs[0].ledger.lost() == 0


def test_the_line_is_found(kernels: Kernels, tmp_path: Path) -> None:
    words = ["ab", "--kernel", kernels.before, "--kernel", kernels.after, "-o", tmp_path / "out"]
    words += ["--target", "zsmalloc", "--boots", "7", "--runs", "21"]
    words += ["--workload", "zs-bench:threads=1,ops=20000,slots=1024,max_size=200,verify=0"]
    _z3trace(*words)
    report = (tmp_path / "out/report.txt").read_text()
    assert re.search(r"alloc.*worse", report)
    assert "the boot is the unit" in report


def test_the_healthy_kernel_breaks_no_rule(kernels: Kernels, tmp_path: Path) -> None:
    words = ["check", "--kernel", kernels.before, "--target", "zsmalloc", "-o", tmp_path / "out"]
    words += ["--workload", "zs-bench:threads=2,ops=20000,slots=64"]
    out, _ = _z3trace(*words)
    assert re.search(r"no violation (seen )?in [1-9]", out)
