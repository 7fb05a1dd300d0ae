"""The options that QEMU is given: what a guest can mount, and how a path is written."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from z3trace.errors import UsageError
from z3trace.guest import qemu, share
from z3trace.kernels.fetch import Kernel

KERNEL = Kernel(Path("/kernel"), "6.1.0-0-amd64", "6.1.0-1")


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").mkdir(mode=0o700)
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "cache"))


def _exported(options: qemu.Options, run: Path, kernel: Kernel = KERNEL) -> dict[str, str]:
    """Name -> the values of its -fsdev."""
    words = qemu._exports(kernel, options, run)
    values = [words[i + 1] for i, word in enumerate(words) if word == "-fsdev"]
    return {value.split(",")[1].removeprefix("id=z3t"): value for value in values}


def test_a_guest_of_our_own_gets_no_directory_of_the_users(tmp_path: Path) -> None:
    exported = _exported(qemu.Options(), tmp_path)
    assert set(exported) == {"root", "run", "programs", "threads"}
    for name in ("root", "threads"):
        assert "readonly=on" in exported[name]
    assert "security_model=mapped-" in exported["run"]
    assert "readonly" not in exported["programs"]


def test_a_stranger_gets_what_is_kept_for_others_read_only(tmp_path: Path) -> None:
    exported = _exported(qemu.Options(stranger=True), tmp_path)
    assert "readonly=on" in exported["programs"]
    assert "readonly" not in exported["run"]


def test_what_a_kernel_of_the_users_compiles_meets_no_other(tmp_path: Path) -> None:
    """It may be a stranger's, and its guest writes what the next one loads."""
    others = qemu.guest_programs(KERNEL)
    own = [qemu.guest_programs(replace(KERNEL, own=name)) for name in ("0123", "4567")]
    assert len({others, *own}) == 3
    assert all(path.is_dir() for path in own)


def test_what_a_kernel_of_the_users_writes_is_a_plain_file_on_the_host(tmp_path: Path) -> None:
    options = qemu.Options(share=tmp_path)
    own = _exported(options, tmp_path, replace(KERNEL, own="0123"))
    assert "security_model=mapped-" in own["share"]
    assert "security_model=none" in _exported(options, tmp_path)["share"]


def test_a_comma_in_a_path_begins_no_option(tmp_path: Path) -> None:
    evil = tmp_path / "a,readonly=on,path=b"
    evil.mkdir()
    exported = _exported(qemu.Options(share=evil), evil)
    for name in ("run", "share"):
        # QEMU reads two commas as one of the value.
        parts = exported[name].replace(",,", "\0").split(",")
        assert f"path={evil}" in [part.replace("\0", ",") for part in parts]
        assert "readonly=on" not in parts


def test_where_there_are_no_attributes_files_keep_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(share, "keeps_attributes", lambda _: False)
    assert "security_model=mapped-file" in _exported(qemu.Options(), tmp_path)["run"]


def test_attributes_are_tried_and_leave_nothing(tmp_path: Path) -> None:
    share.keeps_attributes(tmp_path)
    assert os.listxattr(tmp_path) == []


@pytest.mark.parametrize("name", ["a b", "a\tb", 'a"b', "a'b", "a\nb"])
def test_a_path_that_the_command_line_cannot_hold_is_refused(name: str, tmp_path: Path) -> None:
    if not os.access("/bin/busybox", os.X_OK):
        pytest.skip("no busybox")
    kernel = Kernel(tmp_path, "6.1.0-0-amd64", "6.1")
    options = qemu.Options(share=tmp_path / name)
    with pytest.raises(UsageError, match="a blank or a quote"):
        qemu._kernel_arguments(kernel, options, tmp_path, kvm=False)
