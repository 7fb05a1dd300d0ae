"""The picture of the house and the table of changes say what is there."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
CHANGES = (
    "target",
    "metric",
    "rule",
    "plot",
    "report format",
    "workload",
    "kernel package layout",
    "lock function",
    "export",
    "verb",
)


@pytest.fixture(scope="module")
def house() -> ModuleType:
    spec = importlib.util.spec_from_file_location("house", ROOT / "docs/house.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _small_house(root: Path) -> None:
    """Two floors: ``upper`` beside nothing, above ``analysis`` and ``lower``."""
    (root / "pyproject.toml").write_text(
        "[[tool.importlinter.contracts]]\n"
        'type = "layers"\n'
        'layers = ["z3trace.upper", "z3trace.analysis | z3trace.lower"]\n'
    )
    for name, text in {
        "z3trace/__init__.py": "",
        "z3trace/upper/__init__.py": '"""What is above.  More of it.\n\nAnd more.\n"""\n',
        "z3trace/upper/first.py": "def late():\n    from z3trace.analysis import sums\n",
        "z3trace/lower.py": '"""What is below."""\n',
        "analysis/__init__.py": '"""Sums."""\n',
        "analysis/sums.py": "",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_the_picture_is_up_to_date(house: ModuleType) -> None:
    drawn = house.picture()
    assert house.PICTURE.read_text() == drawn, "make house draws it anew"


def test_every_room_has_a_floor(house: ModuleType) -> None:
    """Packages that hold data alone (probes, testbed) are named below the picture."""
    drawn = {room.name for floors in house.houses() for floor in floors for room in floor}
    packages = {path.parent.relative_to(ROOT) for path in (ROOT / "z3trace").glob("*/__init__.py")}
    rooms = {path.name for path in packages}
    rooms |= {path.stem for path in (ROOT / "z3trace").glob("*.py") if path.stem[0] != "_"}
    wings = {f"analysis.{path.parent.name}" for path in (ROOT / "analysis").glob("*/__init__.py")}
    assert rooms | wings <= drawn


def test_arrows_files_and_words_come_from_the_sources(house: ModuleType, tmp_path: Path) -> None:
    _small_house(tmp_path)
    ((upper,), (analysis, lower)) = house.houses(tmp_path)[0]
    assert upper == house.Room("upper", "What is above", 2, ("analysis",))
    assert (analysis.files, analysis.imports) == (2, ())
    assert (lower.knows, lower.files) == ("What is below", 1)


def test_an_import_more_changes_the_picture(house: ModuleType, tmp_path: Path) -> None:
    _small_house(tmp_path)
    before = house.picture(tmp_path)
    (tmp_path / "z3trace/upper/first.py").write_text("import z3trace.lower\n")
    after = house.picture(tmp_path)
    assert "-> analysis" in before
    assert "-> lower" not in before
    assert "-> lower" in after


def _changes() -> dict[str, list[str]]:
    """Change -> the paths that design.md's table names for it."""
    text = (ROOT / "docs/design.md").read_text()
    rows = re.findall(r"^\| an? (?:new )?([a-z ]+) \|(.*)\|$", text, re.MULTILINE)
    return {change: re.findall(r"`([\w.-]+/[\w./-]*)`", cells) for change, cells in rows}


def test_the_table_has_the_ten_changes() -> None:
    assert set(CHANGES) <= set(_changes())
    assert all(_changes()[change] for change in CHANGES)


@pytest.mark.parametrize("change", CHANGES)
def test_every_file_to_open_for_a_change_is_there(change: str) -> None:
    missing = [path for path in _changes()[change] if not (ROOT / path).exists()]
    assert missing == []
