"""An installed wheel brings z3trace, and nothing else of ours."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _names(site: Path) -> set[str]:
    return {path.name for path in site.iterdir() if not path.name.endswith(".dist-info")}


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
    subprocess.run([*install, "-c", ROOT / "constraints.txt", wheel], check=True)
    out = subprocess.run(
        [tmp_path / "env/bin/z3trace", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert "record" in out
    code = "from z3trace.target import definition; from z3trace.kernels import variant; print(definition.shipped(), *variant.shipped())"
    out = subprocess.run(
        [python, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert "z3fold" in out
    assert "pool-lock" in out
