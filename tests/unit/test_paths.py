"""What has the right name is whole."""

from pathlib import Path

from z3trace import paths


def test_a_directory_that_another_process_made_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "made"
    with paths.new_directory(path, replace=False) as work:
        (work / "file").write_text("mine")
        path.mkdir()
        (path / "file").write_text("theirs")
    assert (path / "file").read_text() == "theirs"
    with paths.new_directory(path) as work:
        (work / "file").write_text("mine")
    assert (path / "file").read_text() == "mine"
    assert [entry.name for entry in tmp_path.iterdir()] == ["made"]
