"""The class of each lock call of a timed build."""

from z3trace.code.module import TimedCallFact
from z3trace.data import limits
from z3trace.target import definition, lockclasses

Z3FOLD = definition.load("z3fold")


def _call(
    structure: str, member: str, kind: str = "spin", *, is_member: bool = True
) -> TimedCallFact:
    place = ("x.c", 1, "f", f"&x->{member}", "acquire", kind)
    return TimedCallFact(*place, structure, member, is_member)  # type: ignore[arg-type]


def _names(*calls: TimedCallFact) -> list[str]:
    made = lockclasses.classify(calls, Z3FOLD)
    assert made.names[0] == "other"
    assert set(made.of_calls) <= set(made.names)
    assert made.folded == []
    return made.of_calls


def test_structure_and_member_are_those_of_a_rule() -> None:
    """Two rules have a member called lock."""
    assert _names(
        _call("z3fold_pool", "lock"),
        _call("z3fold_buddy_slots", "lock", "read"),
        _call("z3fold_buddy_slots", "lock", "write"),
        _call("z3fold_header", "page_lock"),
        _call("z3fold_pool", "page_lock"),
        _call("z3fold_pool", "stale_lock"),
    ) == ["pool", "slots", "slots", "page", "page", "stale"]


def test_without_a_structure_the_one_rule_that_fits_is_taken() -> None:
    """A spinlock called lock is the pool's, a reader-writer lock called lock the slots',
    as their rules say; a mutex may be anybody's."""
    assert _names(_call("", "stale_lock"), _call("", "page_lock")) == ["stale", "page"]
    assert _names(_call("", "lock", "spin")) == ["pool"]
    assert _names(_call("", "lock", "read")) == ["slots"]
    assert _names(_call("", "lock", "mutex")) == ["lock"]


def test_a_variable_is_a_class_of_its_own_name() -> None:
    """Such as the argument of a helper, which may be any lock."""
    assert _names(_call("", "lock", is_member=False)) == ["lock"]
    assert _names(_call("", "the_mutex", "mutex", is_member=False)) == ["the_mutex"]


def test_a_lock_that_no_rule_knows_is_called_after_its_member() -> None:
    assert _names(_call("z3fold_pool", "new_lock"), _call("", "x")) == ["new_lock", "x"]


def test_two_structures_with_equal_members_are_two_classes() -> None:
    assert _names(_call("a", "lock"), _call("b", "lock"), _call("a", "only")) == [
        *("a.lock", "b.lock", "only")
    ]


def test_a_class_of_a_rule_has_no_other_lock_in_it() -> None:
    """Nor is any lock called other."""
    assert _names(_call("z3fold_pool", "pool"), _call("a", "other")) == [
        *("z3fold_pool.pool", "a.other")
    ]
    assert _names(_call("", "page", is_member=False)) == ["page?"]
    assert _names(_call("", "other", is_member=False)) == ["other?"]


def test_of_too_many_classes_the_last_are_other() -> None:
    """The target's own come first, then those with most calls."""
    many = [_call("", f"l{i}") for i in range(20)]
    calls = [*many, _call("", "often"), _call("", "often"), _call("z3fold_pool", "lock")]
    made = lockclasses.classify(calls, Z3FOLD)
    names = made.of_calls
    assert len(made.names) == limits.CLASSES
    assert made.names[:3] == ["other", "pool", "often"]
    assert names[:13] == [f"l{i}" for i in range(13)]
    assert names[13:20] == ["other"] * 7
    assert made.folded == [f"l{i}" for i in range(13, 20)]
    assert names[20:] == ["often", "often", "pool"]


def test_a_class_without_calls_is_none() -> None:
    assert lockclasses.classify([], Z3FOLD) == lockclasses.Classes(["other"], [], [])


def test_a_long_name_is_cut() -> None:
    assert len(_names(_call("", "l" * 400))[0]) == limits.WORD


def test_one_member_is_another_class_by_its_kind() -> None:
    """The pool's lock of zsmalloc was a spinlock and became a reader-writer lock for another
    purpose."""
    calls = [_call("zs_pool", "lock", kind) for kind in ("spin", "read", "write")]
    calls += [_call("zspage_lock", "lock"), _call("size_class", "lock")]
    made = lockclasses.classify(calls, definition.load("zsmalloc"))
    assert made.of_calls == ["size-class", "migration", "migration", "zspage", "size-class"]
