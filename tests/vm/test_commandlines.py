"""The command lines of the documents that need a guest, run as they stand there.

What they are asked for in numbers (runs, budgets) comes down by the environment: a text is
tested here, not a measurement.
"""

import difflib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commandlines import ROOT, Line, install, lines

from z3trace.kernels import fetch

pytestmark = pytest.mark.vm
GUEST = list({line.text: line for line in lines() if line.kind == "guest"}.values())
_FEW = {
    "Z3TRACE_AB_RUNS": "2",
    "Z3TRACE_REVIEW_RUNS": "2",
    "Z3TRACE_REVIEW_BUDGET": "1s",
}
#: 3: the variant has a bug; 6: not every rule could be judged.
_ALLOWED = {"check": {0, 3, 6}, "review": {0, 3, 6}}
_SOURCES = ("mm/z3fold.c", "mm/zbud.c")


def _patch(kernel: fetch.Kernel) -> str:
    """A change of a comment in every target's source."""
    made = ""
    for source in _SOURCES:
        old = kernel.source(source).read_text().splitlines(keepends=True)
        new = [old[0], "/* A remark. */\n", *old[1:]]
        made += "".join(difflib.unified_diff(old, new, f"a/{source}", f"b/{source}"))
    return made


@pytest.fixture
def place(kernel: fetch.Kernel, tmp_path: Path) -> Path:
    """A directory with what the documents name."""
    patch = _patch(kernel)
    for name in ("my.patch", "series.patch"):
        (tmp_path / name).write_text(patch)
    head = "From: A <a@example.org>\nSubject: [PATCH] z3fold: a remark\n\nA change.\n---\n"
    (tmp_path / "mail.mbox").write_text(head + patch)
    (tmp_path / "my-workload").write_text("#!/bin/sh\ntrue\n")
    (tmp_path / "my-workload").chmod(0o755)
    shutil.copy(ROOT / "probes/targets/z3fold.toml", tmp_path / "mine.toml")
    install(tmp_path)
    return tmp_path


def _inside(line: Line, place: Path) -> str:
    """The line as the guest's shell gets it, with the modules that it is about loaded."""
    return (
        f"PATH={shlex.quote(str(place / 'bin'))}:$PATH; modprobe z3fold; modprobe zsmalloc; "
        f"modprobe zram num_devices=0; {line.text}"
    )


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("line", GUEST, ids=lambda line: line.text)
def test_it_runs(line: Line, place: Path, kernel: fetch.Kernel) -> None:
    environment = {**os.environ, **_FEW, "PATH": f"{place / 'bin'}:{os.environ['PATH']}"}
    verb = line.words[1]
    command = ["bash", "-euo", "pipefail", "-c", line.text]
    if verb in ("record", "target"):
        boot = [sys.executable, "-m", "z3trace", "vm", "--release", kernel.release, "--"]
        command = [*boot, "sh", "-ec", _inside(line, place)]
    result = subprocess.run(
        command, cwd=place, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode in _ALLOWED.get(verb, {0}), result.stderr[-3000:]
    assert "a bug of z3trace" not in result.stderr
