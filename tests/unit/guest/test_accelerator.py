"""KVM or emulation: what was found out is remembered for this machine only."""

import json
from pathlib import Path

import pytest

from z3trace.errors import UsageError
from z3trace.guest import accelerator
from z3trace.guest.qemu import Options
from z3trace.kernels.fetch import Kernel

KERNEL = Kernel(Path("nowhere"), "6.1.0-0-amd64", "6.1")


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    (tmp_path / "cache").mkdir(mode=0o700)
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "cache"))
    return []


@pytest.mark.parametrize("asked", ["kvm", "tcg"])
def test_what_is_asked_for_is_taken(asked: str, said: list[str]) -> None:
    assert accelerator.choose(KERNEL, Options(accelerator=asked), said.append) == asked
    assert said == []


def test_another_name_is_refused(said: list[str]) -> None:
    with pytest.raises(UsageError, match="is not an accelerator"):
        accelerator.choose(KERNEL, Options(accelerator="xen"), said.append)


@pytest.mark.parametrize(("works", "chosen"), [(True, "kvm"), (False, "tcg")])
def test_a_guest_that_gets_through_decides_once(
    works: bool, chosen: str, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Kernel] = []

    def reaches(kernel: Kernel, options: Options) -> bool:
        tried.append(kernel)
        return works

    monkeypatch.setattr(accelerator.os, "access", lambda *_: True)
    monkeypatch.setattr(accelerator, "_reaches_user_space", reaches)
    for _ in range(3):
        assert accelerator.choose(KERNEL, Options(), said.append) == chosen
    assert len(tried) == 1
    assert ("emulated" in " ".join(said)) == (chosen == "tcg")


@pytest.mark.parametrize(
    "text", ["", "[", "[1]", '{"machine": "another", "accelerator": "kvm"}', "\xff"]
)
def test_what_was_remembered_elsewhere_does_not_count(
    text: str, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    accelerator._memory().write_text(text, encoding="latin-1")
    monkeypatch.setattr(accelerator.os, "access", lambda *_: False)
    assert accelerator.choose(KERNEL, Options(), said.append) == "tcg"
    assert json.loads(accelerator._memory().read_text())["accelerator"] == "tcg"
