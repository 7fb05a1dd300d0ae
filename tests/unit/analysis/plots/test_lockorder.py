"""The data behind the picture of the lock order."""

import time

from z3trace.analysis.plots import lockorder, style


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


def test_a_picture_has_no_more_arrows_than_it_can_show() -> None:
    edges = {(f"a{i}", f"b{j}"): i * 64 + j for i in range(64) for j in range(64)}
    kept = lockorder.most_frequent(edges)
    assert len(kept) == lockorder.MOST
    assert min(count for _, count in kept) == 64 * 64 - lockorder.MOST
    begun = time.process_time()
    figure = lockorder.draw({"x": edges})
    style.svg(figure)
    style.close(figure)
    assert time.process_time() - begun < 5
    assert figure.axes[0].get_title() == f"x, {64 * 64 - lockorder.MOST} arrows left out"
