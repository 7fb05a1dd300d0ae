"""Straight lines of a function, and what a probe would be at each of its instructions."""

from z3trace.code.disassembly import instructions
from z3trace.code.function import Function, lock_register

# 00 mov %rdi,%rbx   03 lea 0x8(%rbx),%rdi   07 add $0x8,%rdi   0b call
# 10 test %eax,%eax  12 je 0x03              14 xor %ecx,%ecx   16 ret
CODE = bytes.fromhex("4889fb488d7b084883c708e8f001000085c074ef31c9c3")


def _function(targets: tuple[int, ...] = ()) -> Function:
    return Function(instructions(CODE, 0), targets)


def _addresses(function: Function, address: int) -> tuple[list[int], list[int]]:
    to, onwards = function.line_to(address), function.line_from(address)
    return [step.address for step in to], [step.address for step in onwards]


def test_a_line_begins_where_something_jumps_to() -> None:
    """The branch at 0x12 goes to 0x03."""
    function = _function()
    assert function.targets == {0x3, 0x200}
    assert _addresses(function, 0xB)[0] == [0x3, 0x7, 0xB]


def test_a_line_begins_behind_a_call_and_ends_with_a_branch() -> None:
    assert _addresses(_function(), 0x10) == ([0x10], [0x10, 0x12])
    assert _addresses(_function(), 0x14) == ([0x14], [0x14, 0x16])


def test_a_line_goes_on_to_the_first_place_that_others_jump_to() -> None:
    assert _addresses(_function(targets=(0x7,)), 0)[1] == [0, 3]
    assert _addresses(_function(targets=(0x3,)), 3)[1] == [3, 7, 0xB]


def test_no_line_leads_from_an_address_that_is_no_instruction() -> None:
    assert _function().line_from(0x1) == []


def test_a_lock_is_followed_back_through_moves() -> None:
    line = _function().line_to(0xB)
    assert lock_register(line) == ("rbx", 0x10)
    assert lock_register(line[1:]) == ("rdi", 8)
    assert lock_register(line[2:]) == ("rdi", 0)


def test_a_lock_that_comes_from_memory_is_unknown() -> None:
    line = list(instructions(bytes.fromhex("488b3be800000000"), 0))  # mov (%rbx),%rdi; call
    assert lock_register(line) is None


def test_how_a_probe_would_run() -> None:
    function = _function()
    # A jump covers 00 to 07, and the branch goes to 03.
    assert function.method(0x0) is None
    assert function.method(0x3) == "jump"
    assert function.method(0x7) == "stepped"  # the call would be overwritten
    assert function.method(0xB) == "emulated"
    assert function.method(0x12) == "emulated"
    assert function.method(0x14) == "stepped"  # the function ends too soon


def test_a_jump_may_begin_where_others_jump_to() -> None:
    assert _function(targets=(0x3,)).method(0x3) == "jump"
    assert _function(targets=(0x7,)).method(0x3) is None
