"""Which packages make a kernel, as the package lists say; and their download."""

from pathlib import Path

import pytest
from distribution import OLDER, RELEASE, SPLIT, UBUNTU, Distribution

from z3trace.errors import UsageError, Z3traceError
from z3trace.kernels import packages, suites
from z3trace.kernels.lists import Lists

NAMES = [
    f"linux-image-{RELEASE}",
    f"linux-headers-{RELEASE}",
    "linux-headers-6.1.0-9-common",
    "linux-kbuild-6.1",
    "linux-source-6.1",
]
LAYOUTS = {
    SPLIT: [
        f"linux-image-{SPLIT}",
        f"linux-base-{SPLIT}",
        f"linux-binary-{SPLIT}",
        f"linux-modules-{SPLIT}",
        f"linux-headers-{SPLIT}",
        "linux-headers-7.2.9+deb14-common",
        "linux-kbuild-7.2.9+deb14",
        "linux-source-7.2",
    ],
    UBUNTU: [
        f"linux-image-{UBUNTU}",
        f"linux-modules-{UBUNTU}",
        f"linux-headers-{UBUNTU}",
        "linux-headers-6.8.0-31",
        "linux-source-6.8.0",
    ],
}


def _silent(_: str) -> None:
    pass


def _image() -> packages.Package:
    return packages.resolve(None, "", _silent).packages[0]


@pytest.mark.usefixtures("distribution")
@pytest.mark.parametrize("wanted", [None, RELEASE, "6.1", "6.1.0-9", "6.1-amd64"])
def test_five_packages_of_one_version_make_a_kernel(wanted: str | None) -> None:
    resolved = packages.resolve(wanted, "", _silent)
    assert resolved.release == RELEASE
    assert [package.name for package in resolved.packages] == NAMES
    assert {package.version for package in resolved.packages} == {"6.1.9-1"}


@pytest.mark.usefixtures("distribution")
@pytest.mark.parametrize("release", LAYOUTS)
def test_an_image_that_is_a_name_stands_for_what_it_depends_on(release: str) -> None:
    resolved = packages.resolve(release, "", _silent)
    assert [package.name for package in resolved.packages] == LAYOUTS[release]


@pytest.mark.parametrize("missing", ["linux-headers-6.1.0-9-common", f"linux-headers-{RELEASE}"])
def test_a_series_is_its_newest_kernel_that_is_whole(
    distribution: Distribution, missing: str
) -> None:
    distribution.forget(missing)
    said: list[str] = []
    assert packages.resolve("6.1", "", said.append).release == OLDER
    assert said[0].startswith(f"{RELEASE} is not whole: the package lists know no {missing}")


def test_a_release_without_its_source_is_said(distribution: Distribution) -> None:
    distribution.forget("linux-source-6.1")
    with pytest.raises(Z3traceError, match=r"know no linux-source-6\.1\.0=6\.1\.9-1"):
        packages.resolve(RELEASE, "", _silent)


def test_a_package_has_the_size_and_digest_of_its_file(distribution: Distribution) -> None:
    for package in packages.resolve(None, "", _silent).packages:
        assert package.size == distribution.deb(package.name).stat().st_size
        assert packages._digest(distribution.deb(package.name)) == package.sha256


@pytest.mark.usefixtures("distribution")
def test_what_no_list_knows_is_said_with_what_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "others", tuple)
    with pytest.raises(Z3traceError) as caught:
        packages.resolve("5.10.0-1-amd64", "", _silent)
    assert caught.value.message == (
        "the package lists of this machine know no kernel 5.10.0-1-amd64: they have 7.2, 6.8, 6.1"
    )
    assert "--offered" in caught.value.hint


@pytest.mark.usefixtures("distribution")
def test_other_suites_are_looked_through_and_told_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(suites, "others", lambda: ("stable-backports",))
    monkeypatch.setattr(suites, "_KEYRINGS", tmp_path)
    (tmp_path / "debian-archive-keyring.gpg").touch()
    said: list[str] = []
    with pytest.raises(Z3traceError, match=r"stable-backports cannot be had: this test has no"):
        packages.resolve("5.10", "", said.append)
    assert said == [
        "this machine has no kernel 5.10: looking in Debian's stable-backports",
        "reading the package lists of Debian's stable-backports",
    ]


def test_lists_without_any_kernel_are_to_be_read_first(
    distribution: Distribution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suites, "others", tuple)
    for path in distribution.directory.glob("linux-image-*.fields"):
        path.unlink()
    with pytest.raises(Z3traceError, match=r"they have none \(run 'apt-get update'"):
        packages.resolve("6.1", "", _silent)


@pytest.mark.usefixtures("distribution")
@pytest.mark.parametrize("release", ["../6.1", "amd64", "6.1 6.2", "6.1;id", "", "6", "6.1-"])
def test_what_is_no_release_is_a_usage_error(release: str) -> None:
    with pytest.raises(UsageError, match="not a kernel release or series"):
        packages.resolve(release, "", _silent)


def test_a_whole_download_is_not_made_again(distribution: Distribution, tmp_path: Path) -> None:
    package = _image()
    file = packages.download(package, Lists(), tmp_path / "kept", _silent)
    assert file.name == f"linux-image-{RELEASE}_6.1.9-1.deb"
    assert file.read_bytes() == distribution.deb(package.name).read_bytes()
    assert packages.download(package, Lists(), tmp_path / "kept", _silent) == file
    assert distribution.asked() == [f"linux-image-{RELEASE}=6.1.9-1"]
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_damaged_download_is_made_again(distribution: Distribution, tmp_path: Path) -> None:
    package = _image()
    file = packages.download(package, Lists(), tmp_path, _silent)
    file.write_bytes(b"x" * package.size)
    said: list[str] = []
    assert packages.download(package, Lists(), tmp_path, said.append) == file
    assert file.read_bytes() == distribution.deb(package.name).read_bytes()
    assert said[0] == f"{file.name} is damaged and is fetched again"


def test_a_download_with_another_digest_is_refused(
    distribution: Distribution, tmp_path: Path
) -> None:
    package = _image()
    distribution.deb(package.name).write_bytes(b"another package")
    with pytest.raises(Z3traceError, match="is damaged"):
        packages.download(package, Lists(), tmp_path / "kept", _silent)
    assert list((tmp_path / "kept").iterdir()) == []
