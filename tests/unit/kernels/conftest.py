import shutil
from pathlib import Path

import distribution as distributions
import pytest


@pytest.fixture(scope="session")
def made_distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("made") / "distribution"
    distributions.make(directory)
    return directory


@pytest.fixture
def distribution(
    made_distribution: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> distributions.Distribution:
    """A distribution of small kernels, which apt has, and an empty cache."""
    home = tmp_path / "distribution"
    shutil.copytree(made_distribution, home)
    monkeypatch.setenv("PATH", f"{home / 'bin'}:/usr/bin:/bin:/usr/sbin:/sbin")
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "cache"))
    return distributions.at(home)
