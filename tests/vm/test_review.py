"""A bug that comes as a mail: the reply has what was found below its line."""

import difflib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vm import bugs
from z3trace.kernels import base, fetch
from z3trace.target import definition
from z3trace.target.definition import Target

pytestmark = pytest.mark.vm


def _mail(
    kernel: fetch.Kernel, target: Target, variant: str, directory: Path
) -> tuple[Path, Path, list[str]]:
    """(mail, base file, lines of the patched source): what turns the target's base into
    *variant*."""
    source = target.source
    good, bad = (
        base.resolve(name, kernel, source, print).files[source].decode().splitlines(keepends=True)
        for name in (target.defaults.base, variant)
    )
    (directory / "base.c").write_text("".join(good))
    diff = "".join(difflib.unified_diff(good, bad, f"a/{source}", f"b/{source}"))
    head = f"From: A <a@example.org>\nSubject: [PATCH] {target.name}: {variant}\n\nA change.\n---\n"
    (directory / "p.eml").write_text(head + diff)
    return directory / "p.eml", directory / "base.c", bad


def _below(reply: str, words: str) -> str:
    """The line of the quote that the paragraph with *words* stands below."""
    lines = reply.splitlines()
    paragraphs = [n for n, _ in enumerate(lines) if words in " ".join(lines[n : n + 3])]
    assert paragraphs, f"{words} is not in the reply:\n{reply}"
    return next(line for line in reversed(lines[: paragraphs[0] + 1]) if line.startswith("> "))


@pytest.mark.parametrize("variant", bugs.VARIANTS)
def test_the_finding_stands_below_its_line(
    variant: str, kernel: fetch.Kernel, tmp_path: Path
) -> None:
    target = definition.load(bugs.target_of(variant))
    mail, file, bad = _mail(kernel, target, variant, tmp_path)
    words = [str(mail), "--base", str(file), "-o", str(tmp_path / "out"), "--no-figures"]
    words += ["--target", target.name, "--release", kernel.release]
    made = subprocess.run(
        [sys.executable, "-m", "z3trace", "review", *words, "--budget", "1s"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 3, made.stderr[-3000:]
    reply = (tmp_path / "out/review.txt").read_text()
    if variant == bugs.EMPTY_LRU:
        assert re.search(r"z3fold|reclaim", _below(reply, "The kernel died"))
        return
    bug = bugs.EXPECTED[variant]
    said = rf"\({bug.rule}\):\s+the\s+{bug.lock}\s+lock,\s[^.]*?{target.name}\.c:(\d+)"
    at = re.search(said, reply)
    assert at, reply
    # The lock call itself may be in a helper; the call chain then names that.
    line, helper = bad[int(at[1]) - 1], bug.code.partition("(")[0]
    assert bug.code in line or re.search(rf"Call chain:[^.]*{helper}", reply[at.start() :])
    quoted = _below(reply, f"({bug.rule}):")
    exact = quoted[3:].strip() == line.strip()
    assert exact or re.search(rf"^(- )?{target.name}\.c:{at[1]}: ", reply, re.MULTILINE)
