"""An installed wheel brings z3trace, and nothing else of ours."""

import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from z3trace.commands.manual import PLACES

ROOT = Path(__file__).parents[2]


def _names(site: Path) -> set[str]:
    return {path.name for path in site.iterdir() if not path.name.endswith(".dist-info")}


def _versions(directory: Path) -> Path:
    """The constraints without digests: with them pip would ask for the wheel's own."""
    text = (ROOT / "constraints.txt").read_text()
    path = directory / "versions.txt"
    path.write_text(re.sub(r" \\\n +--hash=\S+", "", text))
    return path


def test_every_constraint_is_one_version_with_its_digests() -> None:
    """``pip install --require-hashes -r constraints.txt`` is how setup.sh installs."""
    lines = (ROOT / "constraints.txt").read_text().replace(" \\\n", " ").splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    line = r"[a-z0-9][a-z0-9.-]*==[^ ;]+( ; [^#]+?)?( +--hash=sha256:[0-9a-f]{64})+"
    assert len(pinned) > 50
    assert [text for text in pinned if not re.fullmatch(line, text)] == []


@pytest.mark.timeout(600)
def test_a_wheel_works_in_an_empty_environment(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, ROOT], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env/bin/python"
    site = next((tmp_path / "env/lib").glob("python*/site-packages"))
    before = _names(site)
    install = [python, "-m", "pip", "-q", "--disable-pip-version-check", "install"]
    subprocess.run([*install, "--no-deps", wheel], check=True)
    assert _names(site) - before == {"z3trace"}
    subprocess.run([*install, "-c", _versions(tmp_path), wheel], check=True)
    out = subprocess.run(
        [tmp_path / "env/bin/z3trace", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert "record" in out
    share = tmp_path / "env/share"
    assert "z3trace record" in (share / "man/man1/z3trace-record.1").read_text()
    for place in PLACES.values():
        assert "_Z3TRACE_COMPLETE" in (share / place).read_text()
    code = "from z3trace.target import definition; from z3trace.kernels import variant; print(definition.shipped(), *variant.shipped())"
    out = subprocess.run(
        [python, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert "z3fold" in out
    assert "pool-lock" in out
