"""What placement must know of an instruction: real machine code, decoded."""

import pytest

from z3trace.code.disassembly import Instruction, instructions


def _only(code: str) -> Instruction:
    (decoded,) = instructions(bytes.fromhex(code.replace(" ", "")), 0x1000)
    return decoded


@pytest.mark.parametrize(
    ("code", "what", "boostable"),
    [
        ("90", "nop", True),
        ("48 89 fb", "mov rbx, rdi", True),
        ("0f b6 07", "movzx", True),
        ("0f 94 c0", "sete", True),
        ("ff c0", "inc", True),
        ("ff e0", "jmp rax", False),
        ("e8 00 00 00 00", "call", False),
        ("74 ef", "je", False),
        ("0f 84 00 00 00 00", "je, near", False),
        ("f6 07 01", "test byte", False),
        ("f7 d8", "neg", False),
        ("c1 e0 04", "shl", False),
        ("fe c0", "inc byte", False),
        ("f3 a4", "rep movsb", True),
        ("0f a2", "cpuid", False),
        ("cc", "int3", False),
        ("c3", "ret", True),
    ],
)
def test_what_may_run_elsewhere(code: str, what: str, boostable: bool) -> None:
    assert _only(code).boostable is boostable, what


@pytest.mark.parametrize(
    ("code", "moves"),
    [
        ("48 89 df", ("rdi", "rbx", 0)),  # mov rdi, rbx
        ("48 8d 7b 10", ("rdi", "rbx", 0x10)),  # lea rdi, [rbx + 0x10]
        ("48 8d 7b f0", ("rdi", "rbx", -0x10)),  # lea rdi, [rbx - 0x10]
        ("48 8d 3b", ("rdi", "rbx", 0)),  # lea rdi, [rbx]
        ("48 83 c7 08", ("rdi", "rdi", 8)),  # add rdi, 8
        ("48 83 ef 08", ("rdi", "rdi", -8)),  # sub rdi, 8
        ("89 df", None),  # mov edi, ebx: the upper half is gone
        ("48 8b 3b", None),  # mov rdi, [rbx]
        ("48 8d 3c 0b", None),  # lea rdi, [rbx + rcx]
        ("48 8d 3c 4b", None),  # lea rdi, [rbx + rcx * 2]
        ("48 01 df", None),  # add rdi, rbx
    ],
)
def test_a_plain_move_is_followed(code: str, moves: tuple[str, str, int] | None) -> None:
    assert _only(code).moves == moves


def test_a_part_of_a_register_is_the_register() -> None:
    assert _only("b0 01").written == {"rax"}  # mov al, 1
    assert _only("41 b8 01 00 00 00").written == {"r8"}  # mov r8d, 1


def test_a_branch_ends_a_line_and_tells_where_it_goes() -> None:
    jump = _only("eb 10")
    assert (jump.is_branch, jump.is_call, jump.ends_line) == (True, False, True)
    assert jump.target == 0x1012
    call = _only("e8 10 00 00 00")
    assert (call.is_branch, call.is_call, call.ends_line) == (False, True, True)
    assert (call.target, call.end) == (0x1015, 0x1005)
    assert _only("ff e0").target is None


def test_a_word_that_the_linker_fills_is_no_target() -> None:
    (jump,) = instructions(b"\xe9\0\0\0\0", 0, frozenset([1]))
    assert (jump.is_branch, jump.target) == (True, None)
    # The word belongs to the next instruction.
    (jump, _) = instructions(b"\xeb\0\xe8\0\0\0\0", 0, frozenset([3]))
    assert jump.target == 2


def test_a_jump_to_the_very_beginning_has_a_target() -> None:
    """The decoder's text has such small numbers in decimal."""
    jump = list(instructions(b"\x90\xeb\xfd", 0))[1]
    assert jump.target == 0


def test_decoding_stops_at_what_is_no_instruction() -> None:
    decoded = list(instructions(b"\x90\x90\x06\x90", 0))
    assert [step.address for step in decoded] == [0, 1]


def test_a_long_function_is_decoded_whole() -> None:
    """Instructions of three bytes: some lie over the end of what is decoded at once."""
    decoded = list(instructions(b"\x48\x89\xfb" * 5000, 7))
    assert [step.address for step in decoded] == [7 + 3 * n for n in range(5000)]
