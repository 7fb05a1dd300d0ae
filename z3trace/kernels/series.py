"""Series: which mails of a mailbox are the patches to apply, and in which order.

A mailbox may hold a whole thread: a cover letter, patches in any order, the versions before,
and answers that propose something else.  The newest version is taken, by its numbers; an
answer's diff is not.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from z3trace.errors import InputError
from z3trace.kernels import unified
from z3trace.kernels.mail import Mail
from z3trace.words import amount

Say = Callable[[str], None]

_GROUP = re.compile(r"\s*\[([^\]]{0,200})\]")
_NUMBER = re.compile(r"(?<![0-9/])([0-9]{1,4})/([0-9]{1,4})(?![0-9/])")
_VERSION = re.compile(r"(?:\b|patch)v([0-9]{1,3})(?![0-9])", re.I)
_CONTEXT = re.compile(rb"^\*\*\* [^\n]*\n--- ", re.M)
_MOST_TOLD = 10


@dataclass(frozen=True)
class Part:
    """One patch of a series, and what its subject says of it."""

    mail: Mail

    @cached_property
    def _tags(self) -> str:
        tags, at = [], 0
        while found := _GROUP.match(self.mail.subject, at):
            tags.append(found[1])
            at = found.end()
        return " ".join(tags)

    @property
    def subject(self) -> str:
        return self.mail.subject

    @cached_property
    def place(self) -> tuple[int, int]:
        """(number, how many there are); (0, 0) without numbers, (0, n) for a cover letter."""
        found = _NUMBER.search(self._tags)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    @property
    def is_cover(self) -> bool:
        return self.place[1] > 0 and self.place[0] == 0

    @property
    def version(self) -> int:
        found = _VERSION.search(self._tags)
        return int(found[1]) if found else 1

    @property
    def is_again(self) -> bool:
        return "resend" in self._tags.lower()

    @property
    def is_marked(self) -> bool:
        """Whether its subject says that it is a patch."""
        return bool(self.place[1]) or "patch" in self._tags.lower()

    @property
    def is_answer(self) -> bool:
        return self.mail.reply or (bool(self.mail.answers) and not self.is_marked)

    @property
    def title(self) -> str:
        return f"'{self.subject}'" if self.subject else "a patch without a subject"


def chosen(name: str, mails: Sequence[Mail], say: Say) -> list[Part]:
    """The patches in the file *name*, in their order; *say* is told what is left out.

    InputError if there is none, if one is missing, or if it cannot be told what to take.
    """
    parts = [Part(mail) for mail in mails]
    told = _Told(name, say)
    answers = _answers(parts)
    for part in parts:
        if part.is_cover:
            told.left_out(f"{part.title}, the cover letter")
        elif part in answers and part.mail.diff:
            told.left_out(f"{part.title}, an answer: the diff in it is not applied")
    patches = [part for part in parts if part.mail.diff and not part.is_cover]
    offered = _once(part for part in patches if part not in answers)
    if not offered:
        raise _none(name, parts)
    newest = _newest(offered, told)
    told.end()
    if any(part.place[1] for part in newest):
        others = [part for part in parts if part.is_cover or part in answers]
        newest = _whole(name, newest, say, alone=len(patches) == 1 and not others)
    return newest


def _answers(parts: Sequence[Part]) -> set[Part]:
    """Those that answer, by their subject or as a patch on top of another's patch: such as
    robots send."""
    by = {part.mail.identity: part for part in parts if part.mail.identity}
    numbered = any(part.place[1] for part in parts)
    found = set()
    for part in parts:
        answered = next((by[one] for one in part.mail.answers if one in by), None)
        on_top = answered and part.version == 1 and not part.place[1]
        if part.is_answer or (
            on_top and (numbered or (answered and answered.mail.sender != part.mail.sender))
        ):
            found.add(part)
    return found


class _Told:
    """Says what is left out, one line for each, but no flood."""

    def __init__(self, name: str, say: Say) -> None:
        self.name, self.say, self.count = name, say, 0

    def left_out(self, what: str) -> None:
        self.count += 1
        if self.count <= _MOST_TOLD:
            self.say(f"{self.name}: left out: {what}")

    def end(self) -> None:
        if self.count > _MOST_TOLD:
            self.say(f"{self.name}: left out: {amount(self.count - _MOST_TOLD, 'more mail')}")


def _none(name: str, parts: Sequence[Part]) -> InputError:
    for part in parts:
        if part.mail.diff:
            return InputError(
                f"{name} has no diff but in an answer, {part.title}",
                "to try that one, save the diff alone, without the mail's header",
            )
    return InputError(f"{name} is no unified patch: it has no diff", _why_none(parts))


def _why_none(parts: Sequence[Part]) -> str:
    if any(_CONTEXT.search(part.mail.text) for part in parts):
        return unified.MADE_BY
    if any(part.mail.in_html for part in parts):
        return "its text is in HTML only: save it from an archive, or from the mail's source"
    return ""


def _once(parts: Iterable[Part]) -> list[Part]:
    """Each patch once: a mail that came twice, by a list and in copy, is one."""
    return list({(part.subject, part.mail.diff): part for part in parts}.values())


def _newest(parts: list[Part], told: _Told) -> list[Part]:
    """The parts of the newest version; what that does not send anew comes from the one that
    it answers."""
    version = max(part.version for part in parts)
    newest = [part for part in parts if part.version == version]
    older = [part for part in parts if part.version < version]
    if not older:
        return _sent_again(newest)
    kept = _not_sent_anew(newest, older)
    if kept:
        numbers = ", ".join(_number(part) for part in kept)
        told.say(f"{told.name}: version {version} has no {numbers}: taken from the one before")
    for part in older:
        if part not in kept:
            told.left_out(f"{part.title}, as there is version {version}")
    return _sent_again([*newest, *kept])


def _not_sent_anew(newest: list[Part], older: list[Part]) -> list[Part]:
    """Those of the version before that the newest one leaves as they were: it answers the
    mails whose patches it replaces, patch by patch."""
    version = max(part.version for part in older)
    before = {part.place: part for part in older if part.version == version and part.place[1]}
    replaced = [before.get(part.place) for part in newest]
    answered = all(
        old is not None and old.mail.identity and old.mail.identity in new.mail.answers[:1]
        for new, old in zip(newest, replaced, strict=True)
    )
    return [part for part in before.values() if part not in replaced] if answered else []


def _sent_again(parts: list[Part]) -> list[Part]:
    """Without those that were sent again."""
    again = {part.place for part in parts if part.is_again and part.place[1]}
    return [part for part in parts if part.is_again or part.place not in again]


def _whole(name: str, parts: list[Part], say: Say, *, alone: bool) -> list[Part]:
    """The numbered *parts* in order; InputError if one is missing between them, or before
    the first of several."""
    totals = {part.place[1] for part in parts}
    if len(totals) > 1:
        different = next(part for part in parts if part.place[1] != parts[0].place[1])
        raise InputError(
            f"{name} has patches of more than one series: {parts[0].title} and {different.title}",
            "give one file for each series, in their order",
        )
    ordered = sorted(parts, key=lambda part: part.place)
    for one, other in pairwise(ordered):
        if one.place == other.place:
            raise InputError(f"{name} has two patches {_number(one)}: {one.title}, {other.title}")
    total = totals.pop()
    there = {part.place[0] for part in ordered}
    last = max(there)
    missing = [number for number in range(1, last) if number not in there]
    if missing and len(ordered) > 1:
        raise InputError(f"{name} has no patch {_numbers(missing, total)}: the series has gaps")
    missing += range(last + 1, total + 1)
    if missing and not alone:
        say(
            f"{name}: it holds {_numbers(sorted(there), total)}, and not {_numbers(missing, total)}"
        )
    return ordered


def _number(part: Part) -> str:
    return "{}/{}".format(*part.place)


def _numbers(numbers: Sequence[int], total: int) -> str:
    named = ", ".join(f"{number}/{total}" for number in numbers[:_MOST_TOLD])
    more = len(numbers) - _MOST_TOLD
    return f"{named} and {more} more" if more > 0 else named
