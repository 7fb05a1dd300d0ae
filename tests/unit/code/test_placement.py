"""Where probes stand: real machine code, so that the decoder is part of the test."""

from dataclasses import replace

from z3trace.code.disassembly import instructions
from z3trace.code.function import Function
from z3trace.code.placement import Call, place

# Two calls in a row, as compilers write them:
#   00 mov %rdi,%rbx   03 mov %rbx,%rdi   06 call lock
#   0b mov 0x48(%rbx),%rax   0f lea 0x10(%rbx),%rdi   13 call unlock
#   18 test %eax,%eax   1a je 0x0b   1c ret
CODE = bytes.fromhex(
    "4889fb 4889df e8f5010000 488b4348 488d7b10 e8e8010000 85c0 74ef c3".replace(" ", "")
)
LOCK = Call(number=0, address=0x06, end=0x0B, has_after=True, needs_result=False)
UNLOCK = Call(number=1, address=0x13, end=0x18, has_after=False, needs_result=False)


def _function(targets: tuple[int, ...] = ()) -> Function:
    return Function(instructions(CODE, 0), targets)


def test_one_jump_serves_the_end_of_a_call_and_the_beginning_of_the_next() -> None:
    first, second = place(_function(), [LOCK, UNLOCK])
    assert (first.address, first.method, first.after, first.before) == (0, "jump", None, 0)
    # At 0x0b rbx is known, and rdi will be rbx + 0x10.
    assert (second.address, second.method, second.after, second.before) == (0xB, "jump", 0, 1)
    assert (second.register, second.offset) == ("rbx", 0x10)


def test_a_lock_in_a_register_that_is_set_on_the_way_is_followed() -> None:
    first = place(_function(), [LOCK, UNLOCK])[0]
    assert (first.register, first.offset) == ("rdi", 0)


def test_no_jump_is_laid_over_what_other_code_jumps_to() -> None:
    function = _function(targets=(0x3,))
    assert function.method(0) is None
    first = place(function, [LOCK])[0]
    assert (first.address, first.method) == (6, "emulated")


def test_apart_the_end_is_seen_before_the_next_beginning() -> None:
    positions = place(_function(), [LOCK, UNLOCK], share=False)
    ends = [p.address for p in positions if p.after == 0]
    begins = [p.address for p in positions if p.before == 1]
    assert len(positions) == 3
    assert ends[0] < begins[0]


def test_an_attempt_is_left_out_where_a_kept_register_tells_the_lock() -> None:
    function = Function(instructions(CODE[:0x1A] + b"\xc3", 0), ())
    (position,) = place(function, [replace(LOCK, needs_before=False), UNLOCK])
    assert (position.address, position.after, position.before) == (0xB, 0, 1)
    # At the call rdi was a copy of rbx, which calls keep.
    assert position.kept == ("rbx", 0)
    assert (position.register, position.offset) == ("rbx", 0x10)


def test_an_attempt_is_needed_where_the_lock_is_in_no_kept_register() -> None:
    # mov %rax,%rdi; call lock; xor %ecx,%ecx; ret
    code = bytes.fromhex("4889c7 e8f5010000 31c9 c3".replace(" ", ""))
    call = Call(0, address=3, end=8, has_after=True, needs_result=False, needs_before=False)
    positions = place(Function(instructions(code, 0), ()), [call])
    assert [(p.after, p.before) for p in positions] == [(None, 0), (0, None)]
    assert all(p.kept is None for p in positions)


def test_an_attempt_is_needed_where_other_code_jumps_behind_the_call() -> None:
    """The jump at 0x1a goes to 0x0b: who comes from there would pass for an acquisition."""
    positions = place(_function(), [replace(LOCK, needs_before=False)])
    assert any(p.before == 0 for p in positions)


def test_a_kept_register_is_read_before_it_is_written_again() -> None:
    # mov %rbx,%rdi; call lock; pop %rbx; xor %ecx,%ecx; nop; nop; ret
    code = bytes.fromhex("4889df e8f5010000 5b 31c9 90 90 90 c3".replace(" ", ""))
    call = Call(0, address=3, end=8, has_after=True, needs_result=False, needs_before=False)
    (position,) = place(Function(instructions(code, 0), ()), [call])
    assert position.address == 8


def test_a_result_is_read_before_the_register_is_written_again() -> None:
    trylock = Call(number=0, address=0x06, end=0x0B, has_after=True, needs_result=True)
    position = next(p for p in place(_function(), [trylock]) if p.after == 0)
    # The instruction at 0x0b loads rax: behind it the result is gone.
    assert position.address == 0xB


def test_only_the_wanted_ways_are_taken() -> None:
    positions = place(_function(), [LOCK, UNLOCK], share=False, methods=("emulated",))
    assert [p.address for p in positions if p.before is not None] == [6, 0x13]


def test_an_end_may_be_seen_where_other_code_joins_but_no_later() -> None:
    # Something jumps to 0x0f: a jump laid at 0x0b would cover it, one at 0x0f does not.
    positions = place(_function(targets=(0xF,)), [LOCK])
    assert [(p.address, p.method) for p in positions if p.after == 0] == [(0xF, "stepped")]
