"""Which mails of a thread are the patches to apply."""

import pytest

from z3trace.errors import InputError
from z3trace.kernels import series
from z3trace.kernels.mail import Mail

DIFF = b"--- a/x\n+++ b/x\n"


def _mail(subject: str, *, body: str = "", answers: str = "", sender: str = "a") -> Mail:
    """A mail whose diff is its own; its identity is its subject."""
    return Mail(
        subject=subject,
        sender=sender,
        identity=f"<{subject}>",
        answers=(f"<{answers}>",) if answers else (),
        reply=subject.startswith("Re:"),
        text=body.encode() if body else DIFF + subject.encode(),
    )


def _chosen(*mails: Mail) -> tuple[list[str], list[str]]:
    """(subjects of the patches, what was said)."""
    said: list[str] = []
    return [part.subject for part in series.chosen("m", mails, said.append)], said


@pytest.mark.parametrize(
    ("subject", "version", "place", "marked", "cover"),
    [
        ("[PATCH] x", 1, (0, 0), True, False),
        ("[PATCH 1/3] x", 1, (1, 3), True, False),
        ("[PATCH v2 02/10] mm: x [v9 1/2]", 2, (2, 10), True, False),
        ("[PATCHv3 1/2] x", 3, (1, 2), True, False),
        ("[RFC PATCH -next V4 1/2] x", 4, (1, 2), True, False),
        ("[PATCH mm-unstable v2 0/2] x", 2, (0, 2), True, True),
        ("[linux-mm] [PATCH 2/2] [v3] x", 3, (2, 2), True, False),
        ("[v2,2/4] x", 2, (2, 4), True, False),
        ("[RESEND PATCH 1/2] x", 1, (1, 2), True, False),
        ("[PATCH 6.1.y 1/2] x", 1, (1, 2), True, False),
        ("[GIT PULL] x", 1, (0, 0), False, False),
        ("x v2 1/2", 1, (0, 0), False, False),
        ("", 1, (0, 0), False, False),
        ("[" * 300, 1, (0, 0), False, False),
    ],
)
def test_what_a_subject_says(
    subject: str, version: int, place: tuple[int, int], marked: bool, cover: bool
) -> None:
    part = series.Part(Mail(subject=subject))
    assert (part.version, part.place, part.is_marked, part.is_cover) == (
        *(version, place, marked, cover),
    )


def test_the_order_is_that_of_the_numbers() -> None:
    numbers = [3, 10, 0, 1, 2, 5, 4, 9, 7, 8, 6]
    found, said = _chosen(*(_mail(f"[PATCH {n}/10] x") for n in numbers))
    assert found == [f"[PATCH {n}/10] x" for n in range(1, 11)]
    assert said == ["m: left out: '[PATCH 0/10] x', the cover letter"]


def test_without_numbers_it_is_that_of_the_file() -> None:
    assert _chosen(_mail("[PATCH] b"), _mail("[PATCH] a"))[0] == ["[PATCH] b", "[PATCH] a"]


@pytest.mark.parametrize(
    ("numbers", "missing"),
    [((1, 3), "2/3"), ((2, 3), "1/3"), ((3, 5, 9), "1/9, 2/9, 4/9, 6/9, 7/9, 8/9")],
)
def test_a_gap_is_refused_by_name(numbers: tuple[int, ...], missing: str) -> None:
    with pytest.raises(InputError, match=f"^m has no patch {missing}: the series has gaps$"):
        _chosen(*(_mail(f"[PATCH {n}/{max(numbers)}] x") for n in numbers))


def test_a_missing_end_is_said_and_so_is_a_single_patch_of_a_thread() -> None:
    one, two = _mail("[PATCH 1/4] x"), _mail("[PATCH 2/4] y")
    assert _chosen(one, two)[1] == ["m: it holds 1/4, 2/4, and not 3/4, 4/4"]
    assert _chosen(two)[1] == []
    answer = _mail("Re: [PATCH 2/4] y", body="Fine.")
    assert _chosen(two, answer)[1] == ["m: it holds 2/4, and not 1/4, 3/4, 4/4"]


def test_an_answers_diff_is_not_applied() -> None:
    found, said = _chosen(
        _mail("[PATCH 1/1] x"),
        _mail("Re: [PATCH 1/1] x"),
        _mail("what about this", answers="[PATCH 1/1] x"),
        _mail("[PATCH] x: fix a warning", answers="[PATCH 1/1] x", sender="robot"),
        _mail("Re: [PATCH 1/1] x, again", body="Fine."),
    )
    assert found == ["[PATCH 1/1] x"]
    assert said == [
        f"m: left out: '{subject}', an answer: the diff in it is not applied"
        for subject in ("Re: [PATCH 1/1] x", "what about this", "[PATCH] x: fix a warning")
    ]


def test_a_file_with_an_answer_alone_says_what_to_do() -> None:
    with pytest.raises(InputError, match="m has no diff but in an answer, 'Re: x'") as raised:
        _chosen(_mail("[PATCH] x", body="See the next mail."), _mail("Re: x"))
    assert "save the diff alone" in raised.value.hint
    with pytest.raises(InputError, match="m is no unified patch: it has no diff"):
        _chosen(_mail("x", body="text"))


def test_the_newest_version_is_taken_and_said() -> None:
    mails = [_mail(f"[PATCH v{v} {n}/2] x") for v in (2, 3, 1) for n in (0, 2, 1)]
    found, said = _chosen(*(_mail(m.subject.replace("v1 ", "")) for m in mails))
    assert found == ["[PATCH v3 1/2] x", "[PATCH v3 2/2] x"]
    assert [line for line in said if "version" in line] == [
        f"m: left out: '[PATCH {which}{n}/2] x', as there is version 3"
        for which in ("v2 ", "")
        for n in (2, 1)
    ]


def test_an_incomplete_newest_version_is_refused() -> None:
    older = [_mail(f"[PATCH {n}/3] x") for n in (1, 2, 3)]
    newer = [_mail(f"[PATCH v2 {n}/3] x") for n in (1, 3)]
    with pytest.raises(InputError, match="has no patch 2/3"):
        _chosen(*older, *newer)


def test_a_patch_that_is_sent_anew_replaces_the_one_that_it_answers() -> None:
    older = [_mail(f"[PATCH {n}/3] x") for n in (1, 2, 3)]
    newer = _mail("[PATCH v2 2/3] x", answers="[PATCH 2/3] x")
    found, said = _chosen(*older, newer)
    assert found == ["[PATCH 1/3] x", "[PATCH v2 2/3] x", "[PATCH 3/3] x"]
    assert said[0] == "m: version 2 has no 1/3, 3/3: taken from the one before"
    assert said[1] == "m: left out: '[PATCH 2/3] x', as there is version 2"


def test_what_was_sent_again_is_one() -> None:
    one, two = _mail("[PATCH 1/2] x"), _mail("[PATCH 2/2] y")
    assert _chosen(one, two, one, two)[0] == [one.subject, two.subject]
    again = [_mail(f"[RESEND PATCH {n}/2] z") for n in (1, 2)]
    assert _chosen(one, two, *again)[0] == [mail.subject for mail in again]


def test_what_cannot_be_told_apart_is_refused() -> None:
    one, two = _mail("[PATCH 1/2] x"), _mail("[PATCH 2/2] y")
    with pytest.raises(InputError, match=r"two patches 1/2: '\[PATCH 1/2\] x', '\[PATCH 1/2\] z'"):
        _chosen(one, two, _mail("[PATCH 1/2] z"))
    for other in ("[PATCH 1/3] z", "[PATCH] z"):
        with pytest.raises(InputError, match="patches of more than one series: ") as raised:
            _chosen(one, two, _mail(other))
        assert raised.value.hint == "give one file for each series, in their order"


def test_many_mails_are_not_a_flood_of_words() -> None:
    answers = [_mail(f"Re: {n}") for n in range(900)]
    began = _chosen(_mail("[PATCH] x"), *answers)[1]
    assert len(began) == 11
    assert began[-1] == "m: left out: 890 more mails"
