"""Reviews of what nobody here wrote: changes of upstream, and a module of several files."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from vm import upstream
from z3trace import paths
from z3trace.kernels import fetch, sourcetree

pytestmark = pytest.mark.vm
NULL_BLK = Path(__file__).parent / "null_blk"
#: Upstream changes without a change of locks, as a whole.
CHANGES = {"z3fold": "put_z3fold_locked", "zsmalloc": "IS_ERR_VALUE("}
_HOME = "drivers/block/null_blk"
#: A helper that takes the disk's lock many times for each request.
EDITS = {
    f"{_HOME}/null_blk.h": (
        "#endif /* __NULL_BLK_H */",
        "void null_count(struct nullb *nullb);\n#endif /* __NULL_BLK_H */",
    ),
    f"{_HOME}/zoned.c": (
        "static inline sector_t mb_to_sects(",
        "void null_count(struct nullb *nullb)\n{\n\tfor (int i = 0; i < 16; i++) {\n"
        "\t\tspin_lock_irq(&nullb->lock);\n\t\tcpu_relax();\n"
        "\t\tspin_unlock_irq(&nullb->lock);\n\t}\n}\n\nstatic inline sector_t mb_to_sects(",
    ),
    f"{_HOME}/main.c": (
        "\tsector_t sector = blk_rq_pos(rq);\n\tstruct req_iterator iter;\n"
        "\tstruct bio_vec bvec;\n",
        "\tsector_t sector = blk_rq_pos(rq);\n\tstruct req_iterator iter;\n"
        "\tstruct bio_vec bvec;\n\n\tnull_count(nullb);\n",
    ),
}


def _review(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "z3trace", "review", *words]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)  # fmt: skip


@pytest.mark.parametrize("target", CHANGES)
def test_a_change_of_upstream_is_not_blamed(
    target: str, kernel: fetch.Kernel, tmp_path: Path
) -> None:
    """Neither of these touches a lock: what the reply finds, the base has too."""
    source, later = f"mm/{target}.c", fetch.cached("6.12", print)
    word = CHANGES[target]
    mail, added = upstream.mail(source, kernel.source(source), later.source(source), word, tmp_path)
    assert added
    out = tmp_path / "out"
    words = [str(mail), "--base", "packaged", "--target", target, "--release", kernel.release]
    made = _review(*words, "-o", str(out), "--no-figures", "--budget", "1s")
    reply = (out / "review.txt").read_text()
    assert made.returncode in (0, 6), f"{made.stderr[-3000:]}\n{reply}"
    assert "0 violations" in reply or "no violation" in reply
    quoted = [line for line in reply.splitlines() if line.startswith("> +") and word in line]
    assert quoted
    assert re.search(r"Calls: (at least )?\d+ alloc", reply)


def test_a_lock_in_a_loop_of_a_module_of_several_files(
    kernel: fetch.Kernel, tmp_path: Path
) -> None:
    """null_blk, of which the patch changes three files; a script of ours is the workload."""
    package = next((paths.cache() / "packages").glob(f"linux-source-*_{kernel.version}.deb"))
    sourcetree.unpack(package, tmp_path / "linux", ["drivers/block/null_blk/*"])
    out = tmp_path / "out"
    mail = upstream.edited(tmp_path / "linux", EDITS, tmp_path)
    words = [str(mail), "--base", str(tmp_path / "linux"), "-o", str(out)]
    words += ["--target", str(NULL_BLK / "null_blk.toml"), "--release", kernel.release]
    made = _review(*words, "--runs", "6", "--", str(NULL_BLK / "load.sh"))
    reply = (out / "review.txt").read_text()
    assert made.returncode in (0, 6), f"{made.stderr[-3000:]}\n{reply}"
    assert re.search(r"LOOP: \S+ takes the \S+ lock", reply), reply
