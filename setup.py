"""What pyproject.toml cannot say: manual pages and completion, made from the verbs."""

import sys
import tomllib
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).resolve().parent
SHARE = Path("build/share")


def data_files() -> list[tuple[str, list[str]]]:
    """(directory below the prefix, files) of what is made here."""
    sys.path.insert(0, str(ROOT))
    from z3trace.cli import cli
    from z3trace.commands import manual

    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    made: dict[str, list[str]] = {}
    for name, text in manual.files(cli, version).items():
        path = ROOT / SHARE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        made.setdefault(str("share" / name.parent), []).append(str(SHARE / name))
    return sorted(made.items())


setup(data_files=data_files())
