"""The kernel's text: a made-up list of symbols and made-up code."""

from collections.abc import Mapping

import pytest

from z3trace.code import kerneltext
from z3trace.code.kerneltext import KernelText, Symbols
from z3trace.errors import CannotTraceError

START = 0xFFFFFFFF81000000
KALLSYMS = b"""\
ffffffff81000000 T zs_malloc
ffffffff81000020 t zs_free
ffffffff81000040 T zs_malloc_more
ffffffff81000060 D zs_data
ffffffff81000100 T _raw_spin_lock
ffffffff81000120 T _raw_spin_unlock
ffffffff81000140 T _raw_spin_locked
ffffffff81000160 t twice
ffffffff81000180 t twice
ffffffffc0000000 t zs_free\t[zsmalloc]
ffffffffc0000010 t module_own\t[zsmalloc]
"""


def _call(at: int, to: int) -> bytes:
    return b"\xe8" + (to - at - 5).to_bytes(4, "little", signed=True)


#: zs_malloc: call lock; nop; call unlock; call what is no lock function; ret
MALLOC = _call(0, 0x100) + b"\x90" + _call(6, 0x120) + _call(11, 0x140) + b"\xc3"
#: zs_free: jmp unlock
FREE = b"\xe9" + (0x120 - 0x20 - 5).to_bytes(4, "little")


@pytest.fixture
def text(monkeypatch: pytest.MonkeyPatch) -> KernelText:
    code = {START: MALLOC, START + 0x20: FREE}

    def read(ranges: Mapping[str, tuple[int, int]]) -> dict[str, bytes]:
        return {name: code[start] for name, (start, _) in ranges.items() if start in code}

    monkeypatch.setattr(kerneltext, "read_text", read)
    return KernelText(["zs_malloc", "zs_free"], Symbols(KALLSYMS))


def test_a_function_ends_where_the_next_symbol_begins() -> None:
    assert Symbols(KALLSYMS).matching("zs_malloc") == {"zs_malloc": (START, START + 0x20)}


def test_only_whole_names_of_the_kernels_own_functions_match() -> None:
    """Not its data, and no module's."""
    assert set(Symbols(KALLSYMS).matching(r"zs_\w+")) == {"zs_malloc", "zs_free", "zs_malloc_more"}
    assert Symbols(KALLSYMS).matching("zs|module_own") == {}


def test_hidden_addresses_are_said() -> None:
    with pytest.raises(CannotTraceError, match="hides the addresses"):
        Symbols(b"0000000000000000 T zs_malloc\n").matching("zs_malloc")


def test_functions_of_one_name_are_counted_in_modules_too() -> None:
    counts = Symbols(KALLSYMS).counts(["zs_free", "zs_malloc", "twice", "none"])
    assert counts == {"zs_free": 2, "zs_malloc": 1, "twice": 2, "none": 0}


def test_a_beginning_with_a_star_is_every_function_that_begins_so() -> None:
    assert set(KernelText(["zs_*"], Symbols(KALLSYMS)).functions) == {
        *("zs_malloc", "zs_free", "zs_malloc_more")
    }
    assert set(KernelText(["zs_malloc"], Symbols(KALLSYMS)).functions) == {"zs_malloc"}


def test_calls_of_lock_functions_are_the_sites(text: KernelText) -> None:
    sites = [(s.function, s.function_offset, s.lock_function, s.tail) for s in text.sites]
    assert sites == [
        ("zs_malloc", 0, "_raw_spin_lock", False),
        ("zs_malloc", 6, "_raw_spin_unlock", False),
        ("zs_free", 0, "_raw_spin_unlock", True),
    ]
    assert [(s.number, s.offset - START, s.after - START) for s in text.sites] == [
        *((0, 0, 5), (1, 6, 11)),
        (2, 0x20, 0x25),
    ]


def test_code_behind_a_functions_end_is_not_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read of a short function reaches into the next."""
    code = bytes(0x1F) + b"\x90" + _call(0x20, 0x100)
    monkeypatch.setattr(kerneltext, "read_text", lambda _: {str(START): code})
    assert KernelText(["zs_malloc"], Symbols(KALLSYMS)).sites == []


def test_the_attempt_is_never_left_out(text: KernelText) -> None:
    assert text.fewer_probes == text.probes
    assert {probe.position.before for probe in text.probes} >= {0, 1, 2}


def test_a_name_that_a_module_has_too_is_ambiguous(text: KernelText) -> None:
    assert text.ambiguous == {"zs_free"}


def test_both_functions_of_a_name_are_the_targets() -> None:
    text = KernelText(["twice"], Symbols(KALLSYMS))
    starts = [("kernel", START + 0x160), ("kernel", START + 0x180)]
    assert text.starts("twice") == starts
    assert text.functions == {"twice": starts[0]}
    assert text.ambiguous == {"twice"}
