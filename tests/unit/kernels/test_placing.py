"""Where hunks go: held against the file that the change was made in, against ``patch`` and
``git apply``, and against the function that was meant."""

import difflib
import random
import subprocess
import time
from pathlib import Path

import mails
import pytest

from z3trace.errors import InputError
from z3trace.kernels import placing, unified
from z3trace.kernels.hunks import Hunk

NAME = "mm/x.c"


def _diff(old: str, new: str, context: int = 3) -> str:
    """As ``git diff`` writes it, the function behind the numbers too."""
    lines = list(
        difflib.unified_diff(
            old.splitlines(keepends=True),
            new.splitlines(keepends=True),
            f"a/{NAME}",
            f"b/{NAME}",
            n=context,
        )
    )
    source, made = old.splitlines(), []
    for line in lines:
        text = line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        if line.startswith("@@"):
            start = int(line.split()[1].split(",")[0][1:]) - 1
            above = [each for each in source[: max(start, 0)] if each[:1].isalpha()]
            text = f"{text[:-1]} {above[-1]}\n" if above else text
        made.append(text)
    return "".join(made)


def _hunks(diff: str) -> list[Hunk]:
    return [h for c in unified.lines_for("p", diff.encode(), NAME).changes for h in c.hunks]


def _placed(old: str, diff: str, fuzz: int = 0) -> tuple[str, list[placing.Place]]:
    content, places = placing.place(NAME, old.encode(), _hunks(diff), fuzz)
    return content.decode(), places


def _function(name: str, lines: list[str]) -> str:
    return f"static int {name}(void)\n{{\n" + "".join(f"\t{line}\n" for line in lines) + "}\n\n"


_LINES = ["spin_lock(&a);", "spin_unlock(&a);", "list_del(&b);", "return 0;", "i++;", "if (i)", ""]


def _source(rng: random.Random, *, unique: bool = False) -> dict[str, list[str]]:
    """Functions whose lines are much alike, or each its own."""
    made = {}
    for number in range(rng.randrange(1, 8)):
        lines = [rng.choice(_LINES) for _ in range(rng.randrange(1, 12))]
        if unique:
            lines = [f"{line} /* {number}.{n} */" for n, line in enumerate(lines)]
        made[f"f{number}"] = lines
    return made


def _text(functions: dict[str, list[str]]) -> str:
    return "".join(_function(name, lines) for name, lines in functions.items())


def _edited(rng: random.Random, lines: list[str]) -> list[str]:
    made = list(lines)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(made) + 1)
        made[at : at + rng.randrange(2)] = [f"new({rng.randrange(1000)});"] * rng.randrange(3)
    return made


@pytest.mark.parametrize("seed", range(60))
def test_a_change_of_the_very_file_makes_the_file_after(seed: int) -> None:
    rng = random.Random(seed)
    old, new = _text(_source(rng)), _text(_source(rng))
    if rng.random() < 0.3:
        old = old.rstrip("\n")
    if rng.random() < 0.3:
        new = new.rstrip("\n")
    if rng.random() < 0.1:
        old = ""
    made, places = _placed(old, _diff(old, new, rng.randrange(1, 6)))
    assert made == new
    assert all(place.is_exact for place in places)


def test_a_change_is_never_put_into_another_function_without_a_word() -> None:
    """Functions were added, removed and put into another order since the patch was made, and
    most lines are in many of them."""
    right = refused = told = 0
    for seed in range(1500):
        rng = random.Random(seed)
        functions = _source(rng)
        name = rng.choice(list(functions))
        changed = _edited(rng, functions[name])
        diff = _diff(_text(functions), _text({**functions, name: changed}), rng.randrange(1, 4))
        base = {**functions, **{f"g{n}": lines for n, lines in enumerate(_source(rng).values())}}
        order = rng.sample(list(base), len(base))
        if rng.random() < 0.3:
            order.remove(rng.choice(order))
        base = {each: base[each] for each in order}
        if not diff:
            continue
        try:
            made, places = _placed(_text(base), diff)
        except InputError:
            refused += 1
            continue
        if name in base and made == _text({**base, name: changed}):
            right += 1
        else:
            assert any(place.instead_of or place.also for place in places), seed
            told += 1
    assert right > 500
    assert refused > 100
    assert told < 60


@pytest.mark.parametrize("fuzz", [0, 1, 2])
def test_patch_and_git_say_the_same_where_there_is_one_place(fuzz: int, tmp_path: Path) -> None:
    both = 0
    for seed in range(80):
        rng = random.Random(seed)
        functions = _source(rng, unique=True)
        name = rng.choice(list(functions))
        diff = _diff(_text(functions), _text({**functions, name: _edited(rng, functions[name])}))
        base = "/* more */\n" * rng.randrange(3) + _text(functions)
        lines = base.splitlines(keepends=True)
        for _ in range(rng.randrange(2)):
            lines[rng.randrange(len(lines))] = "other\n"
        base = "".join(lines)
        if not diff:
            continue
        try:
            ours, places = _placed(base, diff, fuzz)
        except InputError:
            continue
        (tmp_path / "mm").mkdir(exist_ok=True)
        (tmp_path / NAME).write_text(base)
        words = ["patch", "-p1", "-s", "--batch", f"--fuzz={fuzz}", "-r", "-", "-d", str(tmp_path)]
        theirs = subprocess.run(words, input=diff.encode(), capture_output=True, check=False)
        if theirs.returncode == 0:
            both += 1
            assert ours == (tmp_path / NAME).read_text(), seed
        if not any(place.fuzz for place in places) and not any(p.offset for p in places):
            (tmp_path / NAME).write_text(base)
            mails.git(tmp_path, "apply", data=diff.encode())
            assert ours == (tmp_path / NAME).read_text(), seed
    assert both > 40


BASE = _function("first", ["a();", "lock();", "x = 1;", "unlock();"]) + _function(
    "second", ["b();", "lock();", "y = 2;", "unlock();", "c();"]
)


def _hunk(section: str, start: int, *lines: str) -> str:
    old = sum(line[0] != "+" for line in lines)
    new = sum(line[0] != "-" for line in lines)
    text = "".join(f"{line}\n" for line in lines)
    return f"--- a/{NAME}\n+++ b/{NAME}\n@@ -{start},{old} +{start},{new} @@ {section}\n{text}"


@pytest.mark.parametrize(
    ("hunk", "reason", "hint"),
    [
        (
            _hunk("static int first(void)", 9, " \tlock();", "+\tz();", " \ty = 2;"),
            "fits only at line 12, 3 lines further down, in second() instead of first(), "
            "where its lines are not",
            "--fuzz 1 puts it there",
        ),
        (
            _hunk("static int third(void)", 3, " \tlock();", "+\tz();", " \ty = 2;"),
            "in second() instead of third(), which the file does not have",
            "--fuzz 1 puts it there",
        ),
        (
            _hunk("static int second(void)", 11, " \tq();", " \tlock();", "+\tz();", " \ty = 2;"),
            "it fits only at line 11, with fuzz 1, in second()",
            "--fuzz 1 puts it there",
        ),
        (
            _hunk("static int second(void)", 11, " \tlock();", "-\ty = 9;", " \tunlock();"),
            "its lines are not there",
            "is it for another kernel, or on top of another patch?",
        ),
        (
            _hunk("static int second(void)", 11, "     lock();", "-  y = 2;", "+  y = 3;"),
            "only its blanks differ",
            "did a mail program change tabs to blanks?",
        ),
        (
            _hunk("static int second(void)", 12, " \tlock();", "-\ty = 1;", "+\ty = 2;"),
            "the file has its change already",
            "is it for an earlier kernel?",
        ),
        (
            f"--- a/{NAME}\n+++ b/{NAME}\n@@ -12,0 +13 @@ static int second(void)\n+\tz();\n",
            "it has no context to know its place by",
            "--fuzz 1 takes the line's number",
        ),
    ],
)
def test_why_a_hunk_does_not_fit_is_said(hunk: str, reason: str, hint: str) -> None:
    with pytest.raises(InputError) as raised:
        _placed(BASE, hunk)
    assert raised.value.message.startswith("mm/x.c, hunk 1, for line ")
    assert reason in raised.value.message.partition("\n")[0]
    assert raised.value.hint == hint
    if hint.startswith("--fuzz"):
        _, (place,) = _placed(BASE, hunk, int(hint.split()[1]))
        assert str(place) in raised.value.message or "context" in reason


def test_the_very_line_is_not_enough_if_the_function_is_elsewhere() -> None:
    hunk = _hunk("static int first(void)", 12, " \tlock();", "+\tz();", " \ty = 2;")
    with pytest.raises(InputError, match=r"in second\(\) instead of first\(\), where its lines"):
        _placed(BASE, hunk)


def test_the_named_function_goes_before_the_near_one() -> None:
    """Nearer, and with all its context, the lines are in another function."""
    base = _function("near", ["lock();", "i++;", "unlock();"]) * 3
    base += _function("meant", ["lock();", "i++;", "unlock();"])
    hunk = _hunk("static int meant(void)", 3, " \tlock();", "+\tz();", " \ti++;", " \tunlock();")
    made, (place,) = _placed(base, hunk)
    assert made.index("z();") > made.index("meant")
    assert place == placing.Place(24, 21, 0, "meant()")


def test_a_function_with_another_name_now_is_said_at_the_very_line() -> None:
    hunk = _hunk("static int old_name(void)", 3, " \ta();", "+\tz();", " \tlock();")
    made, (place,) = _placed(BASE, hunk)
    assert "\ta();\n\tz();\n" in made
    assert str(place) == "at line 3, in first() instead of old_name()"


def test_the_function_in_the_context_counts_not_the_one_before() -> None:
    """git names the function above a hunk, in which no line of it may be."""
    new = _function("between", ["d();"])
    diff = _diff(BASE, BASE.replace("\tb();", "\tb();\n\tz();"))
    assert "@@ static int first" in diff
    base = BASE.replace("static int second", new + "static int second")
    made, (place,) = _placed(base, diff)
    assert made == base.replace("\tb();", "\tb();\n\tz();")
    assert (place.offset, place.instead_of) == (5, "")


def test_two_places_in_one_function_are_said() -> None:
    base = "/* */\n" + _function(
        "f", ["lock();", "i++;", "unlock();", "lock();", "i++;", "unlock();"]
    )
    hunk = _hunk("static int f(void)", 3, " \tlock();", "+\tz();", " \ti++;")
    _, (place,) = _placed(base, hunk)
    assert str(place) == "at line 4, 1 line further down, in f(); it fits at line 7 too"


@pytest.mark.parametrize("section", ["out:", "done: /* here */", "", "}", "#define X"])
def test_a_label_names_no_function(section: str) -> None:
    hunk = _hunk(section, 13, " \tlock();", "+\tz();", " \ty = 2;")
    _, (place,) = _placed(BASE, hunk)
    assert (place.offset, place.function, place.instead_of) == (-1, "second()", "")


def test_hunks_stay_in_their_order() -> None:
    one = _hunk("static int second(void)", 12, " \tlock();", "+\tz();", " \ty = 2;")
    two = _hunk("static int first(void)", 4, " \tlock();", "+\tz();", " \tx = 1;")
    with pytest.raises(InputError, match="hunk 2, for line 4 of first"):
        _placed(BASE, one + two.partition("+++ b/mm/x.c\n")[2])


def test_what_is_told_is_short() -> None:
    base = "/* */\n/* */\n" + "".join(_function(f"f{n}", [f"a{n}();", "b();"]) for n in range(9))
    new = base.replace("\tb();", "\tb();\n\tc();")
    old = base.partition("\n")[2]
    _, places = _placed(old, _diff(base, new, 1))
    assert placing.told(places) == ["hunks 1 to 9 are 1 line further up than they say"]
    _, places = _placed(base, _diff(base, new, 1))
    assert placing.told(places) == []


def test_a_file_of_one_line_many_times_takes_no_time() -> None:
    base = "x\n" * 90_000
    diff = _hunk("", 1, *[" x"] * 30_000, "+y", *[" x"] * 30_000)
    more = "".join(f"@@ -{n} +{n},2 @@\n x\n+y\n" for n in range(60_001, 60_900))
    began = time.process_time()
    made, _ = _placed(base, diff + more)
    assert made.count("y") == 900
    with pytest.raises(InputError):
        _placed(base, diff.replace("+y\n", "-y\n").replace(",60001 @@", ",60000 @@"))
    assert time.process_time() - began < 5
