"""CPU lists as the kernel writes them."""

from pathlib import Path

import pytest

from z3trace.bpf import cpus


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("0\n", [0]), ("0-3\n", [0, 1, 2, 3]), ("0,2-3,8\n", [0, 2, 3, 8])],
)
def test_a_list_has_numbers_and_ranges(text: str, numbers: list[int]) -> None:
    assert cpus.numbers(text) == numbers


def test_possible_counts_to_the_largest_and_online_stays_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine with room for more CPUs than it has, and one of them off."""
    (tmp_path / "possible").write_text("0-7\n")
    (tmp_path / "online").write_text("0,2-3\n")
    monkeypatch.setattr(cpus, "_SYSTEM", tmp_path)
    assert cpus.possible() == 8
    assert cpus.online() == [0, 2, 3]
