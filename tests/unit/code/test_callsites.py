"""From call sites to probes: which site is served by which probe, and how."""

from dataclasses import replace

from z3trace.code.callsites import Functions, Probe, Site, methods, probes_of
from z3trace.code.disassembly import instructions
from z3trace.code.function import Function
from z3trace.code.lockfunctions import LOCK_FUNCTIONS
from z3trace.code.placement import Position

# take:  00 mov %rbx,%rdi  03 call lock  08 mov %rbx,%rdi  0b nopl 0(%rax,%rax)
#        10 call unlock  15 ret
# give:  16 jmp unlock
CODE = bytes.fromhex("4889dfe8f80000004889df0f1f440000e8eb000000c3e9e5000000")
FUNCTIONS = Functions([("give", (".text", 0x16)), ("take", (".text", 0))], {".text": 0x1B})
DECODED = {
    (".text", 0): Function(instructions(CODE[:0x16], 0), ()),
    (".text", 0x16): Function(instructions(CODE[0x16:], 0x16), ()),
}


def _site(number: int, offset: int, function: str, name: str, *, tail: bool = False) -> Site:
    start = 0x16 if function == "give" else 0
    where = (".text", offset, offset + 5, function, offset - start)
    return Site(number, *where, LOCK_FUNCTIONS[name], tail)


LOCK = _site(0, 3, "take", "_raw_spin_lock")
UNLOCK = _site(1, 0x10, "take", "_raw_spin_unlock")
GIVE = _site(2, 0x16, "give", "_raw_spin_unlock", tail=True)


def test_an_offset_lies_in_the_function_that_begins_before_it() -> None:
    assert FUNCTIONS.at(".text", 0) == ("take", 0, 0x16)
    assert FUNCTIONS.at(".text", 0x15) == ("take", 0, 0x16)
    assert FUNCTIONS.at(".text", 0x16) == ("give", 0x16, 0x1B)


def test_where_no_function_is_known_the_section_stands() -> None:
    assert FUNCTIONS.at(".text.unlikely", 8) == (".text.unlikely", 0, 8)


def test_functions_of_one_name_are_two() -> None:
    both = Functions([("f", (".text", 0)), ("f", (".text", 0x16))], {".text": 0x1B})
    assert both.at(".text", 3) == ("f", 0, 0x16)
    assert both.at(".text", 0x17) == ("f", 0x16, 0x1B)
    sites = [replace(site, function="f") for site in (LOCK, UNLOCK, GIVE)]
    probes = probes_of(sites, DECODED)
    assert [(probe.function, probe.position.address) for probe in probes] == [
        *(("f", 3), ("f", 8)),
        ("f", 0x16),
    ]
    assert [probe.function_offset for probe in probes] == [3, 8, 0]


def _served(probes: list[Probe]) -> list[tuple[int | None, int | None]]:
    return [(probe.position.after, probe.position.before) for probe in probes]


def test_every_site_has_its_events() -> None:
    probes = probes_of([LOCK, UNLOCK, GIVE], DECODED)
    assert _served(probes) == [(None, 0), (0, 1), (None, 2)]
    assert [probe.function for probe in probes] == ["take", "take", "give"]
    assert [probe.function_offset for probe in probes] == [3, 8, 0]


def test_without_attempts_the_acquisition_tells_the_lock() -> None:
    probes = probes_of([LOCK, UNLOCK], DECODED, attempts=False)
    assert _served(probes) == [(0, 1)]
    assert probes[0].position.kept == ("rbx", 0)


def test_without_sharing_each_event_has_a_probe_of_its_own() -> None:
    probes = probes_of([LOCK, UNLOCK], DECODED, share=False)
    assert _served(probes) == [(None, 0), (0, None), (None, 1)]


def test_a_tail_that_takes_a_lock_has_its_attempt_alone() -> None:
    """Nothing of the function runs behind it."""
    taker = _site(2, 0x16, "give", "_raw_spin_lock", tail=True)
    assert taker.leaves
    for attempts in (True, False):
        assert _served(probes_of([taker], DECODED, attempts=attempts)) == [(None, 2)]


def test_a_jump_on_a_condition_is_left_out() -> None:
    """A probe at it would see that it is not taken, too."""
    where = (".text", 0x16, 0x16 + 6, "give", 0)
    for name in ("_raw_spin_lock", "_raw_spin_unlock"):
        site = Site(2, *where, LOCK_FUNCTIONS[name], tail=True)
        assert site.conditional
        assert probes_of([site], DECODED) == []


def test_a_site_is_told_by_the_probe_at_which_a_hold_begins_or_ends() -> None:
    """By the attempt only if the acquisition has no probe."""
    probes = [
        Probe(".text", "take", 0, Position(0, "jump", None, 0)),
        Probe(".text", "take", 8, Position(8, "stepped", 0, 1)),
        Probe(".text", "take", 9, Position(9, "emulated", 3, None)),
    ]
    assert methods(probes) == {0: "stepped", 1: "stepped", 3: "emulated"}
