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
        "boot",
        "proc",
    ):
        (tmp_path / name).mkdir(parents=True)
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


def test_the_configuration_in_the_kernel_comes_first(root: Path) -> None:
    (root / "proc/config.gz").write_bytes(gzip.compress(b"CONFIG_LOCKDEP=y\nCONFIG_HZ=250\n"))
    assert preflight.kernel_config() == {"CONFIG_LOCKDEP": "y", "CONFIG_HZ": "250"}


def test_a_configuration_that_cannot_be_read_is_a_note(root: Path) -> None:
    (root / f"boot/config-{RELEASE}").unlink()
    assert preflight.kernel_config() == {}
    assert _by_name()["configuration"].state == "note"
