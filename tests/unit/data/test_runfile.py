"""Recordings survive a round trip; anything else gets one clear line."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import recording, write

from z3trace.data import runfile
from z3trace.errors import InputError, UsageError


@pytest.mark.parametrize("name", ["x.z3t", "x.z3t.gz"])
def test_round_trip(tmp_path: Path, name: str) -> None:
    made = recording(runs=2)
    read = runfile.read(write(tmp_path / name, made))
    assert read.session == made.session
    assert read.runs == made.runs
    assert read.complete
    assert not (tmp_path / f"{name}.part").exists()


def test_a_missing_end_line_is_said_and_whole_runs_are_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "x.z3t", recording(runs=2))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3]) + lines[3][:50])
    read = runfile.read(path)
    assert not read.complete
    assert len(read.runs) == 2


def test_a_killed_recording_leaves_its_runs_under_a_name_that_says_so(tmp_path: Path) -> None:
    made = recording(runs=2)
    writer = runfile.Writer(tmp_path / "x.z3t")
    writer.session(made.session)
    writer.run(made.runs[0])
    assert not (tmp_path / "x.z3t").exists()
    assert len(runfile.read(tmp_path / "x.z3t.part").runs) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"hello\n", "not a z3trace recording"),
        (b'{"type":"session","schema":99}\n', "its schema is 99"),
        (b'{"type":"end","runs":0}\n', "the first line is not a session line"),
        (b"[" * 100000 + b"\n", "not a z3trace recording"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x.z3t"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        runfile.read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*none\.z3t"):
        runfile.read(tmp_path / "none.z3t")


def test_counts_that_contradict_their_buckets_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.z3t", recording(runs=1))
    text = path.read_text().replace('"count":2000', '"count":2001', 1)
    path.write_text(text)
    with pytest.raises(InputError, match=":2: a series' count is not the sum"):
        runfile.read(path)


def test_a_truncated_gzip_keeps_its_whole_runs(tmp_path: Path) -> None:
    path = write(tmp_path / "x.z3t", recording(runs=5))
    packed = gzip.compress(path.read_bytes())
    (tmp_path / "y.z3t.gz").write_bytes(packed[: len(packed) // 2])
    read = runfile.read(tmp_path / "y.z3t.gz")
    assert not read.complete


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mutated_file_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(write(tmp_path / "x.z3t", recording(runs=1)).read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "y.z3t"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        runfile.read(path)
    except InputError as error:
        assert "\n" not in error.message


def test_mutated_files_end_in_a_result_or_in_an_error() -> None:
    """500 of those that ``make fuzz`` tries."""
    script = Path(__file__).parents[2] / "fuzz/mutate.py"
    result = subprocess.run(
        [sys.executable, script, "500", "20000"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout


def test_a_start_that_fails_leaves_what_a_lost_run_had(tmp_path: Path) -> None:
    lost = runfile.Writer(tmp_path / "x.z3t")
    made = recording(runs=1)
    lost.session(made.session)
    lost.run(made.runs[0])
    del lost  # killed: no end line, no lock
    with pytest.raises(KeyboardInterrupt), runfile.Writer(tmp_path / "x.z3t"):
        raise KeyboardInterrupt
    (kept,) = tmp_path.iterdir()
    assert len(runfile.read(kept).runs) == 1


def test_a_recording_is_not_written_through_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "x.z3t.part").symlink_to(victim)
    with pytest.raises(UsageError, match="symbolic link"):
        write(tmp_path / "x.z3t", recording(runs=1))
    assert victim.read_text() == "precious"
    assert not (tmp_path / "x.z3t").is_symlink()


def test_a_second_writer_of_a_name_is_refused(tmp_path: Path) -> None:
    made = recording(runs=1)
    with runfile.Writer(tmp_path / "x.z3t") as first:
        first.session(made.session)
        with pytest.raises(UsageError, match="written by another process"):
            runfile.Writer(tmp_path / "x.z3t")
        first.run(made.runs[0])
        first.finish(interrupted=False)
    assert runfile.read(tmp_path / "x.z3t").complete
