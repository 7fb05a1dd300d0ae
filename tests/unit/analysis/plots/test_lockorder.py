"""The data behind the picture of the lock order."""

from z3trace.analysis.plots import lockorder


def test_inverted_arrows_of_the_picture() -> None:
    assert lockorder.inverted({("a", "b"): 1, ("b", "a"): 2, ("a", "a"): 3, ("b", "c"): 1}) == {
        ("a", "b"),
        ("b", "a"),
    }
    places = lockorder.nodes({"x": {("a", "b"): 1}, "y": {("b", "c"): 1}})
    assert sorted(places) == ["a", "b", "c"]


def test_lock_classes_stand_on_a_circle_apart() -> None:
    places = lockorder.nodes({"x": {(name, "a"): 1 for name in "abcdef"}})
    assert len(set(places.values())) == 6
    assert {round(x * x + y * y, 9) for x, y in places.values()} == {round(0.72**2, 9)}
    assert lockorder.nodes({}) == {}


def test_a_picture_of_no_nesting_says_so() -> None:
    figure = lockorder.draw({"x": {}})
    texts = [text.get_text() for axis in figure.axes for text in axis.texts]
    assert texts == ["no lock is taken under another"]
