"""Which kernels there are, and which of them a name stands for."""

import pytest
from distribution import OLDER, RELEASE, SPLIT, UBUNTU

from z3trace.kernels import offers
from z3trace.kernels.lists import Lists


@pytest.mark.usefixtures("distribution")
def test_only_images_are_offered_the_newest_first() -> None:
    listed = [(offer.release, offer.version) for offer in offers.offered(Lists())]
    assert listed == [
        (SPLIT, "7.2.9-1"),
        (UBUNTU, "6.8.0-31.31"),
        ("6.1.0-9-rt-amd64", "6.1.9-1"),
        (RELEASE, "6.1.9-1"),
        (OLDER, "6.1.9-1"),
    ]
    assert offers.told(offers.offered(Lists())) == "7.2, 6.8, 6.1"
    assert offers.told([]) == "none"


@pytest.mark.parametrize(
    ("release", "wanted"),
    [
        (RELEASE, RELEASE),
        (RELEASE, "6.1"),
        (RELEASE, "6.1.0"),
        (RELEASE, "6.1.0-9"),
        (RELEASE, "6.1-amd64"),
        ("6.1.0-9-rt-amd64", "6.1-rt-amd64"),
        ("6.12.117+deb13-amd64", "6.12"),
        ("6.12.117+deb13-cloud-amd64", "6.12.117-cloud-amd64"),
        (UBUNTU, "6.8"),
        ("6.12.0", "6.12.0"),
    ],
)
def test_a_name_stands_for_a_release(release: str, wanted: str) -> None:
    assert offers.fits(release, wanted)


@pytest.mark.parametrize(
    ("release", "wanted"),
    [
        ("6.12.117+deb13-amd64", "6.1"),
        ("6.12.117+deb13-amd64", "6.12.11"),
        ("6.1.0-9-rt-amd64", "6.1"),
        ("6.1.0-50-amd64", "6.1.0-5"),
        (RELEASE, "6.1.0-9-rt-amd64"),
        (RELEASE, "6.1-cloud-amd64"),
        (RELEASE, OLDER),
    ],
)
def test_and_not_for_others(release: str, wanted: str) -> None:
    assert not offers.fits(release, wanted)


def test_of_two_the_one_with_the_larger_numbers_is_newer() -> None:
    names = ["6.12.90+deb12-amd64", "6.12.90+deb12.1-amd64", "6.12.100+deb12-amd64"]
    ages = [offers.Offer(name, "1").age for name in names]
    assert ages == sorted(ages)
