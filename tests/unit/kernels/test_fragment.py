"""What a kernel's configuration must have: printed, and held against one."""

import pytest

from z3trace.kernels import fragment, kconfig

WHOLE = kconfig.parsed(fragment.text())


def test_the_fragment_lacks_nothing_of_itself() -> None:
    assert fragment.lacking(WHOLE) == []
    assert WHOLE["CONFIG_KPROBES"] == "y"
    assert "CONFIG_EXPERT" not in WHOLE


def test_every_option_is_there_once_and_says_what_it_is_for() -> None:
    names = [option.name for option in fragment.OPTIONS]
    assert len(names) == len(set(names))
    assert all(option.purpose for option in fragment.OPTIONS)
    assert all(line.startswith(("CONFIG_", "# ")) for line in fragment.text().splitlines())


@pytest.mark.parametrize("option", fragment.OPTIONS, ids=lambda option: option.name)
def test_what_is_missing_is_named(option: fragment.Option) -> None:
    config = {key: value for key, value in WHOLE.items() if key != option.key}
    found = fragment.lacking(config)
    assert [(each.option.name, each.has) for each in found] == [(option.name, "n")]
    assert found[0].said == f"{option.key} is not set: {option.purpose}"


def test_a_module_is_enough_only_where_it_can_be_loaded_in_time() -> None:
    config = {**WHOLE, "CONFIG_9P_FS": "m", "CONFIG_TMPFS": "m"}
    (found,) = fragment.lacking(config)
    assert found.said.startswith("CONFIG_TMPFS is a module and must be built in: ")


def test_one_of_several_ways_is_enough() -> None:
    config = {key: value for key, value in WHOLE.items() if key != "CONFIG_DEBUG_INFO_DWARF4"}
    assert fragment.lacking({**config, "CONFIG_DEBUG_INFO_DWARF5": "y"}) == []


def test_some_groups_alone_can_be_asked_for() -> None:
    groups = {each.option.group for each in fragment.lacking({})}
    assert groups == {"guest", "probes", "better"}
    assert {each.option.group for each in fragment.lacking({}, "guest")} == {"guest"}
