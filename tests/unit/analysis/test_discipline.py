"""What a check's file and a guest's console become: violations, coverage, verdicts."""

from pathlib import Path

import msgspec
import pytest
from checksamples import ARMED, broken, clean, end, header, incident, progress, write

from z3trace.analysis.checks import discipline, findings, order
from z3trace.analysis.plots import lockorder
from z3trace.data import checkfile, rules
from z3trace.data.incident import printed
from z3trace.errors import InputError
from z3trace.target import definition


def _replace(check: checkfile.Check, **changes: object) -> checkfile.Check:
    return msgspec.structs.replace(check, **changes)


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    write(broken(), tmp_path / "check.z3c")
    assert checkfile.read(tmp_path / "check.z3c") == broken()
    assert not (tmp_path / "check.z3c.part").exists()


def test_a_check_that_was_cut_short_has_all_that_was_found(tmp_path: Path) -> None:
    write(broken(), tmp_path / "check.z3c", whole=False)
    part = tmp_path / "check.z3c.part"
    part.write_bytes(part.read_bytes() + b'{"type":"incident","rule":"rel')
    found = checkfile.read(tmp_path / "check.z3c")
    assert found.incidents == broken().incidents
    assert found.end is None


@pytest.mark.parametrize(
    "text", [b"", b"{}\n", b"[[[[\n", b'{"type":"session"}\n', b"\xff\xfe\n", b'{"type":"check"}\n']
)
def test_another_file_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "check.z3c"
    path.write_bytes(text)
    with pytest.raises(InputError, match="not a z3trace check"):
        checkfile.read(path)


def test_violations_are_told_with_place_and_count() -> None:
    report = discipline.report(broken())
    assert report.verdict == "violations"
    first = report.violations[0]
    assert (first.rule, first.lock, first.operation) == ("held-at-return", "page", "alloc")
    assert (first.function, first.offset, first.line) == ("z3fold_alloc", 0, 100)
    assert first.count == 12
    assert first.instances[0].time == pytest.approx(0.005)
    assert first.instances[0].held == pytest.approx(0.001)
    assert [event.kind for event in first.instances[0].events] == ["acquires", "releases"]


def test_an_inversion_is_told_once_in_the_rarer_order() -> None:
    inversions = [v for v in discipline.report(broken()).violations if v.rule == "order-inversion"]
    assert [(v.lock, v.other_lock, v.line, v.count) for v in inversions] == [
        ("page", "pool", 100, 7)
    ]
    assert [place.line for place in inversions[0].reverse] == [100, 110]


def test_offences_without_an_incident_are_told_too() -> None:
    counted = progress(offences=[checkfile.Offence(rule="long-hold", site=3, count=5)])
    (found,) = discipline.report(_replace(clean(), progress=counted)).violations
    assert (found.rule, found.line, found.count) == ("long-hold", 210, 5)


def test_a_clean_check_says_what_it_exercised() -> None:
    report = discipline.report(clean())
    assert report.verdict == "clean"
    assert report.exercised.percent == 75
    assert [place.line for place in report.exercised.unreached] == [210]
    conditions = {one.name: one.count for one in report.exercised.conditions}
    assert conditions == {"eviction refused": 0, "page compacted": None}


def test_what_was_not_seen_is_no_health() -> None:
    unseen = discipline.report(_replace(clean(), header=header(not_judged={"long-hold": "why"})))
    assert unseen.verdict == "incomplete"
    lossy = discipline.report(_replace(clean(), end=end(slot_collisions=3)))
    assert lossy.verdict == "incomplete"
    assert lossy.lost_events == {"slot collisions": 3}


def _printed(rule: str, **words: int) -> str:
    number = rules.IN_KERNEL.index(rule)
    task, site, name = words.get("task", 7), words.get("site", 0), b"worker\0\0".ljust(16, b"\0")
    parts = [
        number << 32 | 1,
        words.get("time", ARMED + 9_000_000),
        *(0xFFFF888000001010, ARMED, 0),
        task << 32 | words.get("other_task", 0),
        (site + 1) << 32,
        1 << 32 | 2,
        int.from_bytes(name[:8], "little"),
        int.from_bytes(name[8:], "little"),
    ]
    return _line(0, parts)


def _line(number: int, parts: list[int]) -> str:
    words = " ".join(f"{part:x}" for part in parts)
    return f"[   12.3] bpf_trace_printk: z3t-check{number} {words}"


def test_a_lost_guest_is_told_from_its_console() -> None:
    console = "\n".join(
        [
            _printed("double-acquire", site=3),
            _printed("stuck-wait", time=ARMED + 2_000_000_000, other_task=7),
            _printed("condition-met", site=0),
            "[   22.0] watchdog: BUG: soft lockup - CPU#1 stuck for 10s! [worker:7]",
            "[   22.0] RAX: 0000000000000000 RBX: 0000000000000000",
            "[   22.0]  z3fold_free+0x62/0x560 [z3fold]",
        ]
    )
    unfinished = _replace(clean(), end=None, progress=progress(elapsed=1_000_000_000, reached=[]))
    report = discipline.report(unfinished, console, "the guest was lost: soft lockup")
    assert [(v.rule, v.operation, v.line) for v in report.violations] == [
        ("double-acquire", "free", 210),
        ("stuck-wait", "free", 100),
    ]
    assert report.violations[1].instances[0].other_task == 7
    assert report.violations[0].instances[0].task_name == "worker"
    assert report.exercised.conditions[0].count == 1
    assert report.hang is not None
    assert report.hang.reason == "soft lockup"
    assert report.hang.uncounted == pytest.approx(1.0)
    assert [line[:10] for line in report.hang.trace] == ["watchdog: ", " z3fold_fr"]


def test_the_console_has_the_steps_too() -> None:
    time, lock = ARMED + 9_000_000, 0xFFFF888000001010
    old, new = 5_000 << 20 | 2 << 2 | 3, 1_000 << 20 | 3 << 2
    none = (1 << 44) - 1 << 20
    console = "\n".join(
        [
            _printed("double-acquire", site=3),
            # The next step would be written at number 1: the newest is number 0.
            _line(1, [1 << 32 | 1, time, lock, 0, 0, 0, 0, 0, 0, lock + 4096]),
            _line(2, [1 << 32 | 1, time, new, *[none] * 6, old]),
        ]
    )
    (found,) = printed(console, header())
    assert [(s.kind, s.site, s.time - time) for s in found.steps] == [
        ("releases", 2, -5000),
        ("asks for", 3, -1000),
    ]
    assert [step.lock for step in found.steps] == [hex(lock + 4096), hex(lock)]


def test_the_same_incident_on_console_and_in_the_file_counts_once() -> None:
    same = incident("double-acquire", 3, time=ARMED + 9_000_000, operation="free")
    report = discipline.report(
        _replace(clean(), incidents=[same], end=None), _printed("double-acquire", site=3), "lost"
    )
    (found,) = report.violations
    assert (found.count, len(found.instances)) == (1, 1)
    assert found.instances[0].events


def test_a_lost_guest_without_a_broken_rule_is_lost() -> None:
    report = discipline.report(_replace(clean(), end=None), "BUG: NULL pointer", "oops")
    assert report.verdict == "lost"


def test_nesting_that_the_reference_never_saw(tmp_path: Path) -> None:
    write(clean(), tmp_path / "good.z3c")
    reference = order.nesting_of(tmp_path / "good.z3c")
    report = discipline.report(broken(), reference=reference)
    new = [(v.other_lock, v.lock, v.count) for v in report.violations if v.rule == "new-nesting"]
    assert new == [("pool", "page", 7)]
    assert discipline.report(clean(), reference=reference).verdict == "clean"


def _nested(*pairs: tuple[str, str]) -> list[findings.Nested]:
    return [findings.Nested(held=a, acquired=b, count=1) for a, b in pairs]


def test_a_ring_of_three_classes_is_an_inversion() -> None:
    (ring,) = order.cycles(_nested(("a", "b"), ("b", "c"), ("c", "a"), ("a", "d")))
    assert [edge.held for edge in ring] == ["a", "b", "c"]
    assert order.cycles(_nested(("a", "b"), ("b", "c"), ("a", "c"), ("a", "a"))) == []
    # Two classes are told of by the kernel side, at the moment it happens.
    assert order.cycles(_nested(("a", "b"), ("b", "a"))) == []


def test_inverted_arrows_of_the_picture() -> None:
    assert lockorder.inverted({("a", "b"): 1, ("b", "a"): 2, ("a", "a"): 3, ("b", "c"): 1}) == {
        ("a", "b"),
        ("b", "a"),
    }
    places = lockorder.nodes({"x": {("a", "b"): 1}, "y": {("b", "c"): 1}})
    assert sorted(places) == ["a", "b", "c"]


def _definition(tmp_path: Path, more: str) -> str:
    path = tmp_path / "t.toml"
    text = 'name="t"\nmodule="t"\n[operations.a]\nfunctions=["f"]\n'
    path.write_text(text + more)
    return str(path)


@pytest.mark.parametrize(
    "more",
    [
        'holds = ["nothing"]\n',
        '[[conditions]]\nname="x"\nfunctions=["f"]\ntest="list-empty"\n',
        '[[conditions]]\nname="x"\nfunctions=["f"]\ntest="sometimes"\n',
        '[[conditions]]\nname="<b>"\nfunctions=["f"]\n',
    ],
)
def test_a_bad_definition_is_refused(tmp_path: Path, more: str) -> None:
    with pytest.raises(InputError, match=r"t\.toml"):
        definition.load(_definition(tmp_path, more))


def test_the_shipped_contracts() -> None:
    assert definition.load("zsmalloc").operations["map"].holds == ["zspage"]
    first = definition.load("z3fold").conditions[0]
    assert first.name == "reclaim with an empty LRU list"
