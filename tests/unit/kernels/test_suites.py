"""Other suites than the machine's: an apt root of their own."""

import os
import time
from pathlib import Path

import pytest
from distribution import Distribution

from z3trace.errors import UsageError, Z3traceError
from z3trace.kernels import suites
from z3trace.kernels.lists import Lists


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    keyring = tmp_path / "debian-archive-keyring.gpg"
    keyring.touch()
    monkeypatch.setattr(suites, "_KEYRINGS", tmp_path)
    return keyring


def _apt(distribution: Distribution, text: str) -> None:
    """Let apt-get update do *text*."""
    program = distribution.directory.parent / "bin/apt-get"
    mirror = '[ "$1" = indextargets ] && { echo "Debian|Debian|https://mirror.example.org/debian"; exit 0; }'
    program.write_text(f"#!/bin/sh\n{mirror}\n{text}\n")


def test_its_lists_are_read_once_a_day(distribution: Distribution, keys: Path) -> None:
    log = distribution.log
    _apt(distribution, f'echo "$*" >> {log}')
    said: list[str] = []
    lists = suites.lists("stable-backports", said.append)
    assert suites.lists("stable-backports", said.append) == lists
    assert said == ["reading the package lists of Debian's stable-backports"]
    home = Path(os.environ["Z3TRACE_CACHE"]) / "apt/stable-backports"
    # Backports need the suite that they are for.
    assert (home / "sources.list").read_text().splitlines() == [
        f"deb [signed-by={keys}] https://mirror.example.org/debian stable-backports main",
        f"deb [signed-by={keys}] https://mirror.example.org/debian stable main",
    ]
    old = time.time() - 25 * 3600
    os.utime(home / "updated", (old, old))
    suites.lists("stable-backports", said.append)
    assert len(said) == 2


def test_nothing_of_the_machines_apt_is_changed(distribution: Distribution, keys: Path) -> None:
    assert keys.exists()
    _apt(distribution, f'echo "$*" >> {distribution.log}')
    lists = suites.lists("testing", lambda _: None)
    home = str(Path(os.environ["Z3TRACE_CACHE"]) / "apt/testing")
    (asked,) = distribution.asked()
    for key in ("Dir::State", "Dir::State::lists", "Dir::State::status", "Dir::Cache"):
        assert f"-o {key}={home}" in asked
    assert f"Dir::Etc::sourcelist={home}/sources.list" in lists.options
    assert "Dir::Etc::sourceparts=/dev/null" in lists.options


@pytest.mark.usefixtures("keys")
def test_lists_that_cannot_be_trusted_are_not_used(distribution: Distribution) -> None:
    _apt(distribution, "echo 'Err: x' >/dev/null; echo 'E: Release file is expired' >&2; exit 100")
    for _ in range(2):
        with pytest.raises(Z3traceError, match=r"testing cannot be had: Release file is expired"):
            suites.lists("testing", lambda _: None)


@pytest.mark.parametrize("name", ["", "../x", "Testing", "a b", "testing;id", "-o"])
def test_what_is_no_suite_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match="is not a suite"):
        suites.lists(name, lambda _: None)


def test_without_keys_nothing_is_read(
    distribution: Distribution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suites, "_KEYRINGS", tmp_path / "none")
    with pytest.raises(Z3traceError, match=r"Debian's keys are not here \(apt-get install"):
        suites.lists("testing", lambda _: None)
    assert distribution.asked() == []


@pytest.mark.usefixtures("distribution")
def test_without_a_mirror_it_is_said(distribution: Distribution) -> None:
    (distribution.directory.parent / "bin/apt-get").write_text("#!/bin/sh\necho 'Ubuntu|U|x'\n")
    with pytest.raises(Z3traceError, match="apt knows no mirror of Debian"):
        suites.mirror()


@pytest.mark.parametrize(
    ("text", "others"),
    [("ID=debian\n", suites.OTHERS), ('NAME=x\nID="debian"\n', suites.OTHERS), ("ID=ubuntu\n", ())],
)
def test_only_debian_is_given_its_other_suites(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, others: tuple[str, ...]
) -> None:
    (tmp_path / "os-release").write_text(text)
    monkeypatch.setattr(suites, "_OS_RELEASE", tmp_path / "os-release")
    assert suites.others() == others
    monkeypatch.setattr(suites, "_OS_RELEASE", tmp_path / "none")
    assert suites.others() == ()


def test_the_machines_own_lists_are_called_so() -> None:
    assert Lists().called == "this machine"
    assert Lists("testing").called == "Debian's testing"
