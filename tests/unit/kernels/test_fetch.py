"""The cache of kernels: what is whole stays, what is not is made again."""

import json
from pathlib import Path

import pytest
from distribution import OLDER, RELEASE, SPLIT, UBUNTU, Distribution

from z3trace.kernels import fetch


def _silent(_: str) -> None:
    pass


def _kernel(cache: Path, release: str, *, default: bool = True) -> Path:
    """A kernel of one file in the cache."""
    directory = cache / "kernels" / release
    directory.mkdir(parents=True)
    (directory / "vmlinux").write_bytes(b"ELF")
    manifest = {
        "release": release,
        "version": "1",
        "default": default,
        "files": {"vmlinux": 3},
    }
    (directory / "manifest.json").write_text(json.dumps(manifest))
    return directory


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_damaged_unpack_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("abc")
    (tmp_path / "manifest.json").write_text('{"files": {"a": 3}}')
    assert fetch.is_whole(tmp_path)
    (tmp_path / "a").write_text("ab")
    assert not fetch.is_whole(tmp_path)
    (tmp_path / "a").unlink()
    assert not fetch.is_whole(tmp_path)


@pytest.mark.parametrize("manifest", ["[", "[]", "{}", '{"files": 1}', '{"files": {"a": {}}}'])
def test_a_damaged_manifest_is_noticed(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "a").write_text("abc")
    (tmp_path / "manifest.json").write_text(manifest)
    assert not fetch.is_whole(tmp_path)


def test_a_fetched_kernel_is_whole_and_has_its_facts(distribution: Distribution) -> None:
    kernel = fetch.fetch(None, _silent)
    assert (kernel.release, kernel.version, kernel.default) == (RELEASE, "6.1.9-1", True)
    assert fetch.is_whole(kernel.directory)
    manifest = json.loads((kernel.directory / "manifest.json").read_text())
    assert set(manifest["packages"]) == {name.split("=")[0] for name in distribution.asked()}
    assert manifest["files"]["vmlinux"] == len(b"\x7fELF the kernel")
    makefile = (kernel.headers / "Makefile").read_text()
    assert makefile.startswith(f"include {kernel.root}/usr/src/")


def test_a_whole_kernel_is_not_fetched_again(distribution: Distribution) -> None:
    first = fetch.fetch(RELEASE, _silent)
    assert not first.default
    said: list[str] = []
    assert fetch.fetch(RELEASE, said.append) == first
    assert said == []
    assert len(distribution.asked()) == 5


def test_a_series_is_taken_from_the_cache_if_it_is_there(distribution: Distribution) -> None:
    older = fetch.fetch(OLDER, _silent)
    asked = distribution.asked()
    assert fetch.cached("6.1", _silent) == older
    assert distribution.asked() == asked
    assert fetch.fetch("6.1", _silent).release == RELEASE
    assert fetch.cached("6.1", _silent).release == RELEASE


def test_every_layout_makes_a_whole_kernel(distribution: Distribution) -> None:
    for wanted, release in (("7.2", SPLIT), ("6.8", UBUNTU)):
        kernel = fetch.fetch(wanted, _silent)
        assert (kernel.release, kernel.default) == (release, False)
        assert fetch.is_whole(kernel.directory)
    assert [kernel.release for kernel, _ in fetch.kernels()] == [UBUNTU, SPLIT]
    assert f"linux-modules-{SPLIT}=7.2.9-1" in distribution.asked()


@pytest.mark.usefixtures("distribution")
@pytest.mark.parametrize("damage", ["file", "version"])
def test_a_damaged_or_outdated_kernel_is_made_again(damage: str) -> None:
    kernel = fetch.fetch(None, _silent)
    if damage == "file":
        kernel.image.write_bytes(b"")
    else:
        path = kernel.directory / "manifest.json"
        path.write_text(path.read_text().replace('"6.1.9-1"', '"6.1.8-1"'))
    said: list[str] = []
    assert fetch.fetch(None, said.append) == kernel
    assert said[0].endswith("incomplete, damaged or outdated: doing it again")
    assert kernel.image.read_bytes() == b"\x7fELF the kernel"


def test_the_newest_whole_default_kernel_is_chosen_by_its_numbers(cache: Path) -> None:
    _kernel(cache, "6.1.0-9-amd64")
    _kernel(cache, "6.1.0-10-amd64")
    _kernel(cache, "6.12.1-amd64", default=False)
    (_kernel(cache, "6.1.0-11-amd64") / "vmlinux").write_bytes(b"")
    assert fetch.cached(None, _silent).release == "6.1.0-10-amd64"
    assert fetch.cached("6.12.1-amd64", _silent).release == "6.12.1-amd64"


def test_the_list_has_damaged_kernels_too_and_nothing_else(cache: Path) -> None:
    _kernel(cache, "6.1.0-9-amd64")
    (_kernel(cache, "6.1.0-10-amd64") / "vmlinux").unlink()
    (cache / "kernels/6.1.0-11-amd64").mkdir()
    (cache / "kernels/.6.1.0-12.x").mkdir()
    listed = [(kernel.release, whole) for kernel, whole in fetch.kernels()]
    assert listed == [("6.1.0-10-amd64", False), ("6.1.0-9-amd64", True)]


def test_without_a_whole_kernel_one_is_fetched(distribution: Distribution) -> None:
    assert fetch.cached(None, _silent).release == RELEASE
    assert len(distribution.asked()) == 5
