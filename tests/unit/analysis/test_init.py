"""What a notebook can import, and what the documentation does with it."""

from pathlib import Path

import pytest
from samples import recording, write

from z3trace import analysis


def test_the_worked_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every indented block of Python in docs/analysis.md, on made-up recordings."""
    text = (Path(__file__).parents[3] / "docs/analysis.md").read_text()
    blocks = [b for b in text.split("\n\n") if b.startswith("    ") and "z3trace ab" not in b]
    (tmp_path / "build/demo").mkdir(parents=True)
    for label, scale in (("before", 1.0), ("after", 0.7)):
        for name in (f"{label}.z3t", f"build/demo/{label}.z3t"):
            write(tmp_path / name, recording(label, scale=scale, seed=int(scale * 10)))
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {}
    for block in blocks:
        lines = [line.removeprefix("    ") for line in block.splitlines()]
        exec("\n".join(lines), scope)  # noqa: S102 - our own documentation
    assert len(blocks) >= 6


def test_every_public_name_is_there() -> None:
    for name in analysis.__all__:
        assert callable(getattr(analysis, name))
    with pytest.raises(AttributeError, match="nothing"):
        _ = analysis.nothing
