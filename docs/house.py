"""Draw the house: the rooms of z3trace in the order of the layers contract.

``make house`` writes ``docs/house.txt``; a test compares that file with what this
draws.  Floors come from the import-linter contracts in pyproject.toml, arrows from the
imports that grimp reads, and words from the first sentence of each room's docstring, so
nothing in the picture is written by hand.
"""

import ast
import itertools
import shutil
import sys
import tempfile
import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs/house.txt"
PACKAGE = "z3trace"
WIDTH = 96
HEADER = """\
The house of z3trace. A room imports only from floors below its own; rooms side by side do
not import each other. Drawn by `make house` from the imports and pyproject.toml; do not edit.
"""
NOT_CODE = """\
Beside the house: probes/ (BPF programs in C, definitions of targets) and testbed/ (workloads in
C, variants of modules, the guest's init). They hold data, not Python; rooms read their files.
"""


@dataclass(frozen=True)
class Room:
    """A package or file of the house: its dotted name without ``z3trace.``, the first
    sentence of its docstring, how many Python files it has, and the rooms it imports."""

    name: str
    knows: str
    files: int
    imports: tuple[str, ...]


def layers(root: Path) -> list[list[list[str]]]:
    """For each layers contract of pyproject.toml its floors from top to bottom, each a list
    of dotted names."""
    settings = tomllib.loads((root / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    return [
        [[name.strip() for name in floor.split("|")] for floor in contract["layers"]]
        for contract in contracts
        if contract["type"] == "layers"
    ]


def _installed(root: Path, place: Path) -> Path:
    """The package as an installation lays it out, with analysis/ inside z3trace/."""
    ignore = shutil.ignore_patterns("__pycache__")
    package = place / PACKAGE
    shutil.copytree(root / PACKAGE, package, ignore=ignore)
    shutil.copytree(root / "analysis", package / "analysis", ignore=ignore)
    return package


def _graph(place: Path) -> grimp.ImportGraph:
    """The imports below *place*, which goes before any other z3trace while they are read."""
    known = {name: sys.modules.pop(name) for name in list(sys.modules) if name == PACKAGE}
    sys.path.insert(0, str(place))
    try:
        return grimp.build_graph(PACKAGE, cache_dir=None)
    finally:
        sys.path.remove(str(place))
        sys.modules.update(known)


def _inside(room: str, module: str) -> bool:
    return module == room or module.startswith(room + ".")


def _first_sentence(path: Path) -> str:
    """The first sentence of the file's docstring, on one line, without its full stop."""
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    paragraph = " ".join(docstring.partition("\n\n")[0].split())
    return paragraph.partition(". ")[0].rstrip(".").replace("``", "")


def _room(name: str, package: Path, graph: grimp.ImportGraph, others: list[str]) -> Room:
    base = package.joinpath(*name.split(".")[1:])
    if base.is_dir():
        path, files = base / "__init__.py", sum(1 for _ in base.rglob("*.py"))
    else:
        path, files = base.with_suffix(".py"), 1
    modules = [module for module in graph.modules if _inside(name, module)]
    imported = set[str]().union(*(graph.find_modules_directly_imported_by(m) for m in modules))
    # A room of analysis is part of the room analysis: neither is an import of the other.
    needed = [
        other.rpartition(".")[2]
        for other in others
        if not (_inside(name, other) or _inside(other, name))
        and other.count(".") <= name.count(".")
        and any(_inside(other, module) for module in imported)
    ]
    return Room(name.partition(".")[2], _first_sentence(path), files, tuple(needed))


def houses(root: Path = ROOT) -> list[list[list[Room]]]:
    """For each layers contract its floors from top to bottom, each a list of rooms."""
    contracts = layers(root)
    names = list(itertools.chain.from_iterable(itertools.chain.from_iterable(contracts)))
    with tempfile.TemporaryDirectory() as place:
        package = _installed(root, Path(place))
        graph = _graph(Path(place))
        return [
            [[_room(name, package, graph, names) for name in floor] for floor in floors]
            for floors in contracts
        ]


def _box(room: Room, width: int) -> list[str]:
    """The room's lines, each *width* wide, without walls."""
    files = f"{room.files} file{'s' * (room.files != 1)}"
    needs = f"-> {', '.join(room.imports)}" if room.imports else "-> nothing of the house"
    lines = [
        f"{room.name}  ({files})",
        *textwrap.wrap(room.knows, width),
        *textwrap.wrap(needs, width, subsequent_indent="   "),
    ]
    return [line.ljust(width) for line in lines]


def _floor(rooms: list[Room]) -> list[str]:
    """The rooms of a floor side by side, with the wall above them."""
    inner = WIDTH - 1 - 3 * len(rooms)
    widths = [inner // len(rooms) + (i < inner % len(rooms)) for i in range(len(rooms))]
    boxes = [_box(room, width) for room, width in zip(rooms, widths, strict=True)]
    wall = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    height = max(len(box) for box in boxes)
    rows = []
    for i in range(height):
        cells = [
            box[i] if i < len(box) else " " * width
            for box, width in zip(boxes, widths, strict=True)
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return [wall, *rows]


def picture(root: Path = ROOT) -> str:
    """The text of ``docs/house.txt``."""
    house, *wings = houses(root)
    parts = [HEADER, _drawn(house)]
    parts += [f"Inside analysis, in the same way:\n\n{_drawn(wing)}" for wing in wings]
    return "\n".join([*parts, NOT_CODE])


def _drawn(floors: list[list[Room]]) -> str:
    lines = [line for floor in floors for line in _floor(floor)]
    return "\n".join([*lines, "+" + "-" * (WIDTH - 2) + "+", ""])


if __name__ == "__main__":
    PICTURE.write_text(picture())
