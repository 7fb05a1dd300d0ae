"""What a kernel allows, read from a tree of files that the test makes."""

import gzip
import os
from pathlib import Path

import pytest

from z3trace.errors import CannotTraceError
from z3trace.probing import preflight
from z3trace.probing.preflight import Check

RELEASE = os.uname().release
GOOD = {
    "CONFIG_KPROBES": "y",
    "CONFIG_BPF_SYSCALL": "y",
    "CONFIG_BPF_EVENTS": "y",
    "CONFIG_KPROBE_EVENTS": "y",
    "CONFIG_UNINLINE_SPIN_UNLOCK": "y",
    "CONFIG_OPTPROBES": "y",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kernel that allows all, and a user who is root."""
    monkeypatch.setattr(preflight, "_ROOT", tmp_path)
    monkeypatch.setattr(preflight.os, "geteuid", lambda: 0)
    for name in (
        "sys/bus/event_source/devices/kprobe",
        "sys/kernel/tracing/events",
        f"lib/modules/{RELEASE}/build",
        "sys/kernel/btf/vmlinux",
        "sys/kernel/security",
        "sys/kernel/debug/kprobes/list",
        "boot",
        "proc/sys/kernel",
        "proc/self",
    ):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "proc/kallsyms").write_text("ffffffff81000000 T _stext\n" * 20)
    (tmp_path / "proc/sys/kernel/kptr_restrict").write_text("1\n")
    (tmp_path / "proc/self/status").write_text("CapEff:\t000001ffffffffff\n")
    _configure(tmp_path, GOOD)
    return tmp_path


def _configure(root: Path, config: dict[str, str]) -> None:
    lines = [f"{key}={value}" for key, value in config.items()]
    text = "\n".join(["# Linux", *lines, "# CONFIG_NOT is not set"]) + "\n"
    (root / f"boot/config-{RELEASE}").write_text(text)


def _by_name() -> dict[str, Check]:
    return {check.name: check for check in preflight.checks()}


def test_a_kernel_that_allows_all(root: Path) -> None:
    checks = _by_name()
    # Whether there is a bcc is this python's matter.
    assert {check.state for name, check in checks.items() if name != "bcc"} == {"ok"}
    preflight.require_traceable()


@pytest.mark.parametrize(
    ("path", "name", "said"),
    [
        ("sys/kernel/tracing/events", "tracefs", "not mounted"),
        (f"lib/modules/{RELEASE}/build", "headers", f"no headers of {RELEASE}"),
        ("sys/bus/event_source/devices/kprobe", "kprobes", "has no kprobes"),
    ],
)
def test_what_is_missing_is_said(root: Path, path: str, name: str, said: str) -> None:
    (root / path).rmdir()
    check = _by_name()[name]
    assert check.state == "missing"
    assert said in check.said


def test_headers_may_be_in_the_kernel(root: Path) -> None:
    (root / f"lib/modules/{RELEASE}/build").rmdir()
    (root / "sys/kernel/kheaders.tar.xz").touch()
    assert _by_name()["headers"].state == "ok"


def test_without_types_there_is_only_a_note(root: Path) -> None:
    (root / "sys/kernel/btf/vmlinux").rmdir()
    assert _by_name()["BTF"].state == "note"
    preflight.require_traceable()


def test_a_kernel_without_kprobes_names_what_is_not_set(root: Path) -> None:
    (root / "sys/bus/event_source/devices/kprobe").rmdir()
    _configure(root, {**GOOD, "CONFIG_KPROBES": "n", "CONFIG_BPF_EVENTS": "m"})
    with pytest.raises(CannotTraceError, match=r"CONFIG_KPROBES, CONFIG_BPF_EVENTS not set"):
        preflight.require_traceable()


def test_who_is_not_root_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight.os, "geteuid", lambda: 1000)
    with pytest.raises(CannotTraceError, match="tracing needs root"):
        preflight.require_traceable()


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("[none] integrity confidentiality\n", "ok"),
        ("none [integrity] confidentiality\n", "ok"),
        ("none integrity [confidentiality]\n", "missing"),
    ],
)
def test_lockdown(root: Path, text: str, state: str) -> None:
    (root / "sys/kernel/security/lockdown").write_text(text)
    assert _by_name()["lockdown"].state == state


def test_lockdown_without_securityfs_is_seen_at_the_events_file(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "sys/kernel/tracing/kprobe_events").touch()
    assert _by_name()["lockdown"].state == "ok"
    real = os.open

    def refusing(path: Path, flags: int) -> int:
        if Path(path).name == "kprobe_events":
            raise PermissionError(1, "Operation not permitted")
        return real(path, flags)

    monkeypatch.setattr(preflight.os, "open", refusing)
    with pytest.raises(CannotTraceError, match="probably locked down"):
        preflight.require_traceable()


def test_tracefs_below_debugfs_is_enough(root: Path) -> None:
    (root / "sys/kernel/tracing/events").rmdir()
    (root / "sys/kernel/debug/tracing/events").mkdir(parents=True)
    assert _by_name()["tracefs"] == Check("tracefs", "ok", "mounted below debugfs")
    preflight.require_traceable()


def test_debugfs_that_is_not_mounted_is_a_note(root: Path) -> None:
    (root / "sys/kernel/debug/kprobes/list").rmdir()
    assert _by_name()["debugfs"].state == "note"
    preflight.require_traceable()


@pytest.mark.parametrize(
    ("first", "restrict", "said"),
    [
        ("ffffffff81000000", "1", ""),
        ("0000000000000000", "2", "kptr_restrict is 2: addresses are hidden from root too"),
        ("0000000000000000", "1", r"hides the addresses \(kptr_restrict is 1\)"),
    ],
)
def test_hidden_addresses_are_named_by_what_hides_them(
    root: Path, first: str, restrict: str, said: str
) -> None:
    (root / "proc/kallsyms").write_text(f"{first} T _stext\n" * 20)
    (root / "proc/sys/kernel/kptr_restrict").write_text(f"{restrict}\n")
    if not said:
        preflight.require_traceable()
        return
    with pytest.raises(CannotTraceError, match=said):
        preflight.require_traceable()


@pytest.mark.parametrize(
    ("effective", "lacking"),
    [
        ("000001ffffffffff", ""),
        ("000000c400000000", ""),  # bpf, perfmon, syslog
        ("00000000a80425fb", "CAP_BPF and CAP_PERFMON and CAP_SYSLOG"),  # a container's root
        ("000001bfffdfffff", "CAP_PERFMON"),
    ],
)
def test_root_without_capabilities_is_told_which(root: Path, effective: str, lacking: str) -> None:
    (root / "proc/self/status").write_text(f"Name:\tx\nCapEff:\t{effective}\n")
    if not lacking:
        preflight.require_traceable()
        return
    with pytest.raises(CannotTraceError, match=rf"root here lacks {lacking} \("):
        preflight.require_traceable()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"CONFIG_PREEMPT_RT": "y"}, "PREEMPT_RT"),
        ({"CONFIG_UNINLINE_SPIN_UNLOCK": "n"}, "UNINLINE_SPIN_UNLOCK"),
        ({"CONFIG_DEBUG_SPINLOCK": "y"}, "DEBUG_SPINLOCK"),
        ({"CONFIG_LOCKDEP": "y"}, "LOCKDEP"),
        ({"CONFIG_OPTPROBES": "n"}, "OPTPROBES"),
    ],
)
def test_what_changes_times_or_sites_is_a_note(
    root: Path, change: dict[str, str], name: str
) -> None:
    _configure(root, {**GOOD, **change})
    notes = [check.name for check in preflight.checks() if check.state == "note"]
    assert notes == [name]
    (told,) = preflight.told_of_locks()
    assert told.startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("sys/kernel/debug/kprobes/enabled", "echo 1 > /sys/kernel/debug/kprobes/enabled"),
        ("proc/sys/kernel/ftrace_enabled", "sysctl kernel.ftrace_enabled=1"),
    ],
)
def test_what_switches_probes_off_is_named(root: Path, path: str, hint: str) -> None:
    """They can be attached all the same, and see nothing."""
    (root / path).write_text("1\n")
    preflight.require_traceable()
    (root / path).write_text("0\n")
    with pytest.raises(CannotTraceError, match="switched off") as raised:
        preflight.require_traceable()
    assert raised.value.hint == hint


def test_probes_that_are_not_made_jumps_are_a_note(root: Path) -> None:
    (root / "proc/sys/debug").mkdir()
    (root / "proc/sys/debug/kprobes-optimization").write_text("0\n")
    (told,) = preflight.told_of_locks()
    assert told.startswith("kprobes-optimization: ")
    assert "sysctl debug.kprobes-optimization=1" in told


def test_root_of_a_container_without_root_is_not_root(root: Path) -> None:
    """It has every capability, as far as it can see."""
    (root / "proc/self/uid_map").write_text("         0          0 4294967295\n")
    preflight.require_traceable()
    (root / "proc/self/uid_map").write_text("         0       1000          1\n")
    with pytest.raises(CannotTraceError, match="root of a user namespace only"):
        preflight.require_traceable()


def test_of_a_usual_kernel_there_is_nothing_to_say(root: Path) -> None:
    assert preflight.told_of_locks() == []
    (root / f"boot/config-{RELEASE}").unlink()
    assert preflight.told_of_locks() == []


def test_the_configuration_in_the_kernel_comes_first(root: Path) -> None:
    (root / "proc/config.gz").write_bytes(gzip.compress(b"CONFIG_LOCKDEP=y\nCONFIG_HZ=250\n"))
    assert preflight.kernel_config() == {"CONFIG_LOCKDEP": "y", "CONFIG_HZ": "250"}


def test_a_configuration_that_cannot_be_read_is_a_note(root: Path) -> None:
    (root / f"boot/config-{RELEASE}").unlink()
    assert preflight.kernel_config() == {}
    assert _by_name()["configuration"].state == "note"
