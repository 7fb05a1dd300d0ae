"""Which packages make a kernel, as the package lists say; and their download."""

from pathlib import Path

import pytest
from distribution import RELEASE, Distribution

from z3trace.errors import UsageError, Z3traceError
from z3trace.kernels import packages

NAMES = [
    f"linux-image-{RELEASE}",
    f"linux-headers-{RELEASE}",
    "linux-headers-6.1.0-9-common",
    "linux-kbuild-6.1",
    "linux-source-6.1",
]


def _silent(_: str) -> None:
    pass


@pytest.mark.usefixtures("distribution")
@pytest.mark.parametrize("release", [None, RELEASE])
def test_five_packages_of_one_version_make_a_kernel(release: str | None) -> None:
    resolved, needed = packages.resolve(release)
    assert resolved == RELEASE
    assert [package.name for package in needed] == NAMES
    assert {package.version for package in needed} == {"6.1.9-1"}


def test_a_package_has_the_size_and_digest_of_its_file(distribution: Distribution) -> None:
    for package in packages.resolve()[1]:
        assert package.size == distribution.deb(package.name).stat().st_size
        assert packages._digest(distribution.deb(package.name)) == package.sha256


@pytest.mark.usefixtures("distribution")
def test_a_release_that_the_lists_do_not_know_is_said() -> None:
    with pytest.raises(Z3traceError, match=r"know no linux-image-5\.10\.0-1-amd64 \(run 'apt-get"):
        packages.resolve("5.10.0-1-amd64")


@pytest.mark.usefixtures("distribution")
@pytest.mark.parametrize("release", ["../6.1", "amd64", "6.1 6.2", "6.1;id", ""])
def test_what_is_no_release_is_a_usage_error(release: str) -> None:
    with pytest.raises(UsageError, match="not a kernel release"):
        packages.resolve(release)


def test_a_whole_download_is_not_made_again(distribution: Distribution, tmp_path: Path) -> None:
    package = packages.resolve()[1][0]
    file = packages.download(package, tmp_path / "kept", _silent)
    assert file.name == f"linux-image-{RELEASE}_6.1.9-1.deb"
    assert file.read_bytes() == distribution.deb(package.name).read_bytes()
    assert packages.download(package, tmp_path / "kept", _silent) == file
    assert distribution.asked() == [f"linux-image-{RELEASE}=6.1.9-1"]
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_damaged_download_is_made_again(distribution: Distribution, tmp_path: Path) -> None:
    package = packages.resolve()[1][0]
    file = packages.download(package, tmp_path, _silent)
    file.write_bytes(b"x" * package.size)
    said: list[str] = []
    assert packages.download(package, tmp_path, said.append) == file
    assert file.read_bytes() == distribution.deb(package.name).read_bytes()
    assert said[0] == f"{file.name} is damaged and is fetched again"


def test_a_download_with_another_digest_is_refused(
    distribution: Distribution, tmp_path: Path
) -> None:
    package = packages.resolve()[1][0]
    distribution.deb(package.name).write_bytes(b"another package")
    with pytest.raises(Z3traceError, match="is damaged"):
        packages.download(package, tmp_path / "kept", _silent)
    assert list((tmp_path / "kept").iterdir()) == []
