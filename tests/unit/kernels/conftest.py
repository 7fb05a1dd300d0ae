from pathlib import Path

import distribution as distributions
import pytest


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> distributions.Distribution:
    """A distribution of small kernels, which apt has, and an empty cache."""
    made, programs = distributions.make(tmp_path / "distribution")
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin:/usr/sbin:/sbin")
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "cache"))
    return made
