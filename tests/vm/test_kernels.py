"""Other kernels than the one of the other tests: a short path on each.

6.12, for which the pair of z3fold is built from its source; the newest, whose packages are
laid out in another way; and PREEMPT_RT, where spinlocks are other functions.
"""

from pathlib import Path

import pytest

from vm.accounts import agrees_with_the_workload, nothing_lost
from vm.conftest import LONG, Guest, recorded, z3trace
from z3trace.kernels import build, fetch, variant

pytestmark = pytest.mark.vm
NEWEST = "7.2"
SERIES = ["6.12", *(["6.1-rt-amd64", "6.12-rt-amd64"] if LONG else [])]
ZSMALLOC = """
name = "zsmalloc"
module = "zsmalloc"
builtin = ["zs_malloc", "zs_free"]
[operations.alloc]
functions = ["zs_malloc"]
fails = "error"
[operations.free]
functions = ["zs_free"]
"""


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("series", SERIES)
def test_z3fold_is_recorded(guest: Guest, tmp_path: Path, series: str) -> None:
    release = fetch.cached(series, print)
    module = build.build_variant(release, "mm/z3fold.c", variant.load("page-lock"), print).path
    result = guest(
        f"uname -r; {z3trace()} record --load --module {module} --no-calibrate -o x.z3t "
        "--workload zpool-bench:threads=2,ops=50000",
        options=("--release", release.release),
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[0] == release.release
    recording = recorded(tmp_path / "x.z3t")
    assert all(site.attached for site in recording.session.sites)
    agrees_with_the_workload(recording)
    nothing_lost(recording)
    locks = {lock.lock: lock.acquisitions for lock in recording.runs[0].locks}
    assert locks["page"] > 50_000
    assert locks["pool"] > 10_000


@pytest.mark.usefixtures("kernel")
def test_the_newest_kernel_can_be_traced(guest: Guest, tmp_path: Path) -> None:
    release = fetch.cached(NEWEST, print)
    (tmp_path / "zs.toml").write_text(ZSMALLOC)
    result = guest(
        f"uname -r; {z3trace()} doctor --target zs.toml\n"
        f"modprobe zram; {z3trace()} record --target zs.toml --no-calibrate -o x.z3t -- "
        "sh -c 'echo 16M >/sys/block/zram0/disksize; "
        "dd if=/dev/urandom of=/dev/zram0 bs=64k count=32; sync'\n",
        options=("--release", release.release),
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[0] == release.release
    assert "a recording with --locks callsite would be whole" in result.stdout
    recording = recorded(tmp_path / "x.z3t")
    # 2 MiB of what cannot be compressed, in pages.
    assert {c.operation: c.returns for c in recording.runs[0].operations}["alloc"] >= 512
    nothing_lost(recording)
