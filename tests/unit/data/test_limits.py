"""What a stranger's file can hold: the reader's bounds, and that the writers keep them."""

import gzip
import json
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import checksamples
import pytest
from msgspec import structs
from samples import recording, run, series, write

from z3trace.bpf import checklayout, layout
from z3trace.data import checkfile, limits, runfile
from z3trace.data.checkfile import Progress
from z3trace.data.counts import Nesting, SiteCounts
from z3trace.data.model import OperationTruth, WorkloadResult
from z3trace.data.recordable import encodable, require_recordable
from z3trace.errors import InputError, UsageError, Z3traceError

METRICS = ("latency", "wait", "hold", "corrected_latency", "corrected_wait", "corrected_hold")


def test_limits_leave_room_for_what_the_kernel_counts() -> None:
    assert limits.OPERATIONS >= layout.OPERATIONS
    assert limits.CLASSES >= layout.CLASSES
    assert limits.SITES >= layout.MOST_SITES
    assert limits.SERIES >= 2 * layout.OPERATIONS + 4 * layout.CLASSES
    assert limits.STEPS >= checklayout.STEPS
    assert limits.CONDITIONS >= checklayout.CONDITIONS
    assert limits.INCIDENTS >= 256 * checklayout.INCIDENTS


def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def _refused(path: Path, change: Callable[[list[Any]], object]) -> str:
    """Why a good recording is refused after *change* to its lines."""
    values = _lines(write(path, recording(runs=1)))
    change(values)
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    with pytest.raises(InputError) as caught:
        runfile.read(path)
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("count", [limits.SERIES + 1, 20_000])
def test_series_of_a_run(tmp_path: Path, count: int) -> None:
    def change(values: list[Any]) -> None:
        first = values[1]["series"][0]
        values[1]["series"] = [{**first, "operation": f"o{n}"} for n in range(count)]

    # The larger one is refused for its line alone.
    said = _refused(tmp_path / "x.z3t", change)
    assert ":2: not a z3trace recording" in said or ":2: the file is larger" in said


def test_a_series_is_there_once(tmp_path: Path) -> None:
    said = _refused(
        tmp_path / "x.z3t", lambda values: values[1]["series"].append(values[1]["series"][0])
    )
    assert ":2: a series is there twice" in said


def test_names_over_all_runs(tmp_path: Path) -> None:
    def change(values: list[Any]) -> None:
        good = values[1]
        values[1:-1] = [
            {**good, "series": [{**good["series"][0], "operation": f"o{n}"}]} for n in range(200)
        ]

    said = _refused(tmp_path / "x.z3t", change)
    # The fixture has names of its own, so that fewer than NAMES new ones fit.
    assert ": more than 96 names" in said
    assert int(said.split(":")[-2]) <= limits.NAMES + 2


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        (0, "sites", [{"number": limits.SITES}]),
        (0, "locks", [{"name": f"l{n}"} for n in range(limits.CLASSES + 1)]),
        (0, "operations", [{"name": "o", "function": "f"}] * (limits.OPERATIONS + 1)),
        (0, "command", ["x"] * (limits.COMMAND + 1)),
        (0, "label", "x" * (limits.NAME + 1)),
        (0, "workload", "x" * (limits.TEXT + 1)),
        (1, "nesting", [{"held": "a", "acquired": "b", "count": 1}] * (limits.CLASSES**2 + 1)),
        (1, "locks", [dict.fromkeys(("acquisitions", "contended"), 1)] * (limits.CLASSES + 1)),
    ],
)
def test_lists_and_texts(tmp_path: Path, line: int, field: str, value: object) -> None:
    said = _refused(tmp_path / "x.z3t", lambda values: values[line].update({field: value}))
    assert f":{line + 1}: not a z3trace recording" in said


def test_call_sites_by_number(tmp_path: Path) -> None:
    def change(values: list[Any]) -> None:
        values[1]["sites"][0]["site"] = limits.SITES

    assert "$.sites[0].site" in _refused(tmp_path / "x.z3t", change)


def test_facts_of_a_workload(tmp_path: Path) -> None:
    facts = {f"f{n}": n for n in range(limits.FACTS + 1)}
    said = _refused(tmp_path / "x.z3t", lambda values: values[1]["result"].update(facts=facts))
    assert ":2: not a z3trace recording" in said


def test_a_line(tmp_path: Path) -> None:
    path = tmp_path / "x.z3t"
    write(path, recording(runs=1))
    path.write_bytes(path.read_bytes().splitlines()[0] + b" " * limits.LINE + b"\n")
    with pytest.raises(InputError, match=":1: the file is larger than a real one can be"):
        runfile.read(path)


def test_a_bomb_is_seen_before_it_is_unpacked(tmp_path: Path) -> None:
    """Twenty thousand equal runs, which pack to nothing, as no real ones do."""
    lines = write(tmp_path / "x.z3t", recording(runs=1)).read_bytes().splitlines(keepends=True)
    path = tmp_path / "bomb.z3t.gz"
    path.write_bytes(gzip.compress(lines[0] + lines[1] * 20_000))
    assert path.stat().st_size < 1 << 20
    runs = iter(runfile.Stream(path))
    read = sum(1 for _ in islice(runs, 500))
    with pytest.raises(InputError, match="the file is larger than a real one can be"):
        deque(runs, maxlen=0)
    assert read == 500


def test_a_recording_that_packs_well_is_read(tmp_path: Path) -> None:
    """A thousand runs in which nothing happened."""
    made = recording(runs=1)
    idle = [structs.replace(made.runs[1], number=n, started=f"{n:08}") for n in range(1000)]
    path = write(tmp_path / "x.z3t.gz", structs.replace(made, runs=idle))
    assert len(runfile.read(path).runs) == 1000


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"run","number":' + b"9" * 5000 + b"}",
        b'{"type":"run","number":NaN}',
        b'{"type":"run","number":1e400}',
        b'{"type":"run","number":1.0}',
        b'{"type":"run","started":"\\ud800"}',
        b'{"type":"run","started":"\xed\xa0\x80"}',
        b'{"type":"run","' + b"a\\n\\u001b[31m" * 2000 + b'":1}',
        b'{"type":"' + b"\\n\\u0000" * 2000 + b'"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\0" * 1000,
        b"",
    ],
)
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("kind", ["z3t", "z3c"])
def test_what_is_no_line_of_ours_gets_one_line(
    tmp_path: Path, line: bytes, first: bool, kind: str
) -> None:
    path = tmp_path / f"x.{kind}"
    if kind == "z3t":
        write(path, recording(runs=1))
    else:
        checksamples.write(checksamples.broken(), path)
    good = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([line, *good] if first else [good[0], line]) + b"\n")
    read: Callable[[Path], object] = runfile.read if kind == "z3t" else checkfile.read
    with pytest.raises(InputError, match=f"x.{kind}:{1 if first else 2}: not a z3trace") as caught:
        read(path)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 500


@pytest.mark.parametrize(
    "change",
    [
        lambda packed: packed + packed,  # a second member: more after the end line
        lambda packed: packed + b"\x1f\x8b\x08\x00garbage",
        lambda packed: packed[:-4] + b"\xff\xff\xff\xff",
        lambda packed: packed[:12] + b"\xff" * 20 + packed[32:],
        lambda packed: packed[:5],
        lambda packed: b"\x1f\x8b" + b"\xff" * 100,
    ],
)
def test_a_damaged_packed_file_is_cut_or_refused(
    tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    packed = gzip.compress(write(tmp_path / "x.z3t", recording(runs=2)).read_bytes())
    path = tmp_path / "x.z3t.gz"
    path.write_bytes(change(packed))
    try:
        read = runfile.read(path)
    except InputError as error:
        assert error.message.isprintable()
    else:
        assert len(read.runs) <= 4


READ = """
import resource, sys
from pathlib import Path
from z3trace.data import checkfile, runfile
from z3trace.errors import InputError
path = Path(sys.argv[1])
begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    if path.suffix == ".z3c":
        checkfile.read(path)
    else:
        for run in runfile.Stream(path):
            pass
    print("read")
except InputError:
    print("refused")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - begun) // 1024)
"""


def _read_elsewhere(path: Path) -> tuple[str, int]:
    """(outcome, MB that reading took) in a process of its own."""
    out = subprocess.run(
        [sys.executable, "-c", READ, path], capture_output=True, text=True, check=True
    ).stdout.split()
    return out[0], int(out[1])


def _full_run() -> Any:
    """As large as a run can be."""
    made = run(0, probed=True, scale=1, seed=1)
    names = [f"n{n}" + "x" * 50 for n in range(limits.CLASSES)]
    all_buckets = [(n, 1) for n in range(976)]
    wide = structs.replace(series("latency", "a", [1]), count=976, buckets=all_buckets)
    site = made.sites[0]
    return structs.replace(
        made,
        result=WorkloadResult(
            operations=[
                OperationTruth(operation=name, calls=1, buckets=all_buckets) for name in names
            ],
            facts={f"f{n}": n for n in range(limits.FACTS)},
            output="x" * limits.TEXT,
        ),
        series=[
            structs.replace(
                wide,
                metric=metric,
                operation=name if metric.endswith("latency") else "",
                lock="" if metric.endswith("latency") else name,
            )
            for metric in METRICS
            for name in names
        ],
        nesting=[Nesting(held=a, acquired=b, count=1) for a in names for b in names],
        sites=[
            SiteCounts(**{**structs.asdict(site), "site": n, "locks": ["page"]})
            for n in range(limits.SITES)
        ],
    )


def test_the_largest_runs_are_read_in_little_memory(tmp_path: Path) -> None:
    made = recording(runs=1)
    path = tmp_path / "x.z3t"
    write(path, structs.replace(made, runs=[_full_run()] * 14))
    assert path.stat().st_size > 30 << 20
    outcome, megabytes = _read_elsewhere(path)
    assert outcome == "read"
    assert megabytes < 100


def test_the_largest_checks_are_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "x.z3c"
    checksamples.write(checksamples.broken(), path, whole=False)
    lines = (tmp_path / "x.z3c.part").read_bytes().splitlines(keepends=True)
    word = "x" * limits.WORD
    step = checksamples.incident("long-hold", 0).steps[0]
    large = checksamples.incident(word, 0, lock_class=word, other_class=word, operation=word)
    large = structs.replace(large, steps=[structs.replace(step, kind=word)] * limits.STEPS)
    whole = json.dumps(json.loads(checkfile.lines.encode(large, checkfile._decoder, "x"))).encode()
    path.write_bytes(lines[0] + (whole + b"\n") * limits.INCIDENTS + lines[-1] * 10_000)
    outcome, megabytes = _read_elsewhere(path)
    assert outcome == "read"
    assert megabytes < 200
    path.write_bytes(lines[0] + lines[1] * (limits.INCIDENTS + 1))
    assert _read_elsewhere(path)[0] == "refused"


def test_a_check_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "x.z3c"
    checksamples.write(checksamples.clean(), path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1] * (limits.CHECK // len(lines[1]) // 4))
    assert path.stat().st_size > 60 << 20
    outcome, megabytes = _read_elsewhere(path)
    assert outcome == "read"
    assert megabytes < 50


@pytest.mark.parametrize(
    ("label", "command", "said"),
    [
        ("x" * 600, ["z3trace"], "a label has at most 512 characters, this has 600"),
        ("", ["x"] * 5000, "too long for a recording: 5000 words"),
        ("", ["x" * 70_000], "too long for a recording"),
        ("", ["x" * 60_000] * 5, "too long for a recording"),
        ("", ["\udcff" * 20_000], "too long for a recording"),
    ],
)
def test_what_no_recording_can_hold_is_said_before(
    label: str, command: list[str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        require_recordable(label, command, "workload")


def test_bytes_that_are_no_text_are_recorded_as_escapes(tmp_path: Path) -> None:
    words = ["caf\udce9", "plain", "\u00fc"]
    require_recordable(words[0], words, words[0])
    shown = [encodable(word) for word in words]
    assert shown == ["caf\\xe9", "plain", "\u00fc"]
    path = write(tmp_path / "x.z3t", recording(shown[0], runs=1, command=shown))
    assert runfile.read(path).session.command == shown


def test_what_would_be_refused_is_not_written(tmp_path: Path) -> None:
    made, changes = recording(runs=1), {"command": ["x"] * 5000}
    with pytest.raises(Z3traceError, match="a z3trace recording cannot hold this"):
        write(
            tmp_path / "x.z3t",
            structs.replace(made, session=structs.replace(made.session, **changes)),
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("limit", "most"), [("RECORDING", 60_000), ("ALL_SERIES", 50), ("RUNS", 15)]
)
def test_a_recording_that_is_full_keeps_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    made = recording(runs=20)
    monkeypatch.setattr(limits, limit, most)
    with pytest.raises(Z3traceError, match="what was recorded is kept"):
        write(tmp_path / "x.z3t", made)
    read = runfile.read(tmp_path / "x.z3t.part")
    assert 0 < len(read.runs) < 40


def test_a_check_that_is_full_keeps_its_first_incidents_and_last_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CHECK_PROGRESS", 20_000)
    monkeypatch.setattr(limits, "INCIDENTS", 3)
    path = tmp_path / "x.z3c"
    writer = checkfile.Writer(path)
    writer.write(checksamples.header())
    for number in range(200):
        writer.write(checksamples.progress(elapsed=number))
        writer.write(checksamples.incident("long-hold", 0, time=number))
    part = tmp_path / "x.z3c.part"
    assert part.stat().st_size < 25_000
    writer.write(checksamples.end())
    writer.finish()
    check = checkfile.read(path)
    assert [incident.time for incident in check.incidents] == [0, 1, 2]
    assert isinstance(check.progress, Progress)
    assert check.progress.elapsed == 199
