"""What a check's report is made of."""

from checksamples import header

from z3trace.analysis.checks.findings import Place, Places, Violation, spread


def test_a_call_site_in_words() -> None:
    places = Places(header().sites)
    place = places(3)
    assert (place.function, place.offset, place.line) == ("z3fold_free", 48, 210)
    assert (place.file, place.inlined, place.lock_function) == (
        "mm/z3fold.c",
        ["spin_lock"],
        "_raw_spin_lock",
    )
    assert places(99) == places(None) == Place()
    assert places.some(None) is None
    assert places.some(3) == place


def test_a_violation_has_its_place_flat() -> None:
    place = Places(header().sites)(3)
    violation = Violation(**spread(place), rule="r", lock="l", operation="", count=1)
    back = violation.place
    assert (back.function, back.offset, back.file, back.line, back.inlined) == (
        *(place.function, place.offset, place.file, place.line, place.inlined),
    )
