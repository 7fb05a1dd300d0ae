"""A review as a reply to send: the patch quoted, and what was found below its lines.

Plain ASCII, at most 72 columns beyond the quote, and no tag: who reviewed a patch says so
himself.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from z3trace.analysis.checks.findings import Death, Report
from z3trace.analysis.comparing.comparison import Comparison
from z3trace.analysis.report import headline, remarks, setup
from z3trace.analysis.report.checkwords import source, summary
from z3trace.analysis.report.prose import ascii_only, heading, labelled, shell_command, wrap
from z3trace.analysis.report.remarks import Remark, Spot
from z3trace.data.patchlines import PatchLine, PatchText
from z3trace.printable import visible

TAB = "\t"
_LISTED = 12  # lock calls that were not reached
_REPLIED = re.compile(r"re:", re.I)
#: Lines that a program must not write: who stands for a patch says so himself.
_TAG = re.compile(r"^([A-Z][A-Za-z-]{2,30}-by):", re.M)


@dataclass(frozen=True)
class Review:
    """All that a reply is made of.

    *base*: the base in words, *commit* and *link* as far as they are known; *notes*: of
    reading and applying the patches; *before*, *after*: the checks of base and of patched
    source; *left*: what was not done, and why.
    """

    target: str
    texts: Sequence[PatchText]
    base: str
    command: Sequence[str]
    commit: str = ""
    link: str = ""
    notes: Sequence[str] = ()
    before: Report | None = None
    after: Report | None = None
    comparison: Comparison | None = None
    left: Sequence[str] = field(default_factory=tuple)


def render(review: Review) -> str:
    """The reply."""
    said = _remarks(review)
    placed: dict[tuple[int, int], list[Remark]] = {}
    rest: list[Remark] = []
    exact: dict[int, bool] = {}
    for remark in said:
        where = remarks.spot(review.texts, remark)
        if where is None:
            rest.append(remark)
        else:
            placed.setdefault((where.text, where.line), []).append(remark)
            exact[id(remark)] = where.exact
    out = _head(review, said)
    for number, text in enumerate(review.texts):
        out += _attribution(text)
        for at, line in enumerate(text.lines):
            out.append(_quoted(line))
            found = placed.get((number, at), [])
            for remark in found:
                out += _below(remark, exact=exact[id(remark)])
            out += [""] if found else []
        out += [""] if out[-1] else []
    out += _elsewhere(rest)
    out += [*_exercised(review), *_setup(review)]
    return _without_tags("".join(f"{visible(line, keep=TAB).rstrip()}\n" for line in out))


def spots(review: Review) -> list[tuple[Remark, Spot | None]]:
    """Where each remark stands."""
    return [(remark, remarks.spot(review.texts, remark)) for remark in _remarks(review)]


def _remarks(review: Review) -> list[Remark]:
    found = remarks.of_check(review.after, review.before) if review.after else []
    return [*found, *(remarks.of_locks(review.comparison) if review.comparison else [])]


def _head(review: Review, said: Sequence[Remark]) -> list[str]:
    subject = next((text.subject for text in review.texts if text.subject), "")
    out = []
    if subject:
        answer = subject if _REPLIED.match(subject) else f"Re: {subject}"
        out.append(f"Subject: {ascii_only(answer)}")
    message = next((text.message for text in review.texts if text.message), "")
    if message:
        out.append(f"In-Reply-To: {ascii_only(message)}")
    out += [""] if out else []
    out += wrap(_verdict(review))
    if review.comparison is not None:
        out.append("")
        for claim in headline.claims(review.comparison):
            out += wrap(claim, "- ", "  ")
        out.append("")
    if said:
        out += wrap("What was found stands below the lines that it is about.")
    return [*out, ""]


def _verdict(review: Review) -> str:
    base, after = review.before, review.after
    if after is None:
        return f"Of {review.target}, with this patch on {review.base}, no lock was checked."
    told = f"With this patch on {review.base}, z3trace found {summary(after)}."
    if base is not None:
        told += f" Without it: {summary(base)}."
    return told


def _attribution(text: PatchText) -> list[str]:
    wrote = text.wrote
    if text.sender and wrote and not wrote.endswith("wrote:"):
        wrote = f"On {wrote}, {text.sender} wrote:"
    return wrap(wrote) if wrote.endswith("wrote:") else wrap(f"{text.name}:")


def _quoted(line: PatchLine) -> str:
    return "> " + "\t".join(ascii_only(part) for part in line.text.split("\t"))


def _below(remark: Remark, *, exact: bool) -> list[str]:
    out = [""]
    for number, paragraph in enumerate(remark.paragraphs):
        about = f"{remark.file}:{remark.line}: " if not exact and not number else ""
        out += wrap(about + paragraph)
    return out


def _elsewhere(rest: Sequence[Remark]) -> list[str]:
    if not rest:
        return []
    out = heading("Found in code that the patch does not show")
    for remark in rest:
        for number, paragraph in enumerate(remark.paragraphs):
            about = f"{remark.file}:{remark.line}: " if remark.line and not number else ""
            out += wrap(about + paragraph, "- " if not number else "  ", "  ")
    return [*out, ""]


def _exercised(review: Review) -> list[str]:
    report = review.after
    if report is None:
        return []
    done = report.exercised
    # What a guest that was lost had not counted yet is not known.
    least = "at least " if report.hang else ""
    counts = [f"{n} {name}" for name, n in done.operations.items() if n is not None]
    known = f"{least}{', '.join(counts)}" if any(done.operations.values()) else "not known"
    lost = [name for name, n in done.operations.items() if n is None]
    if lost and known != "not known":
        known += f"; not known of {', '.join(lost)}, for the kernel was lost before it was counted"
    out = [*heading("What was exercised, and what was not"), *wrap(f"Calls: {known}.")]
    met = [f"{each.name} ({each.count})" for each in done.conditions if each.count]
    never = [each.name for each in done.conditions if each.count == 0]
    if met:
        out += wrap(f"Met: {', '.join(met)}.")
    if never:
        out += wrap(f"Never met, so nothing is known of it: {', '.join(never)}.")
    out += wrap(f"Lock calls reached: {least}{done.reached} of {done.sites}.")
    if done.unreached:
        listed = [source(place) or place.function for place in done.unreached[:_LISTED]]
        more = len(done.unreached) - _LISTED
        end = f" and {more} more." if more > 0 else "."
        out += wrap(f"Not reached: {', '.join(listed)}{end}")
    for rule, reason in report.not_judged.items():
        out += wrap(f"Not judged: {rule}: {reason}.")
    for text in review.left:
        out += wrap(text)
    return [*out, *_of_the_base(review), ""]


def _of_the_base(review: Review) -> list[str]:
    """What the base has too is no fault of the patch."""
    if review.before is None or review.after is None:
        return []
    known = {remarks.key(violation) for violation in review.before.violations}
    both = [each for each in review.after.violations if remarks.key(each) in known]
    listed = [f"{each.rule}, {each.lock or 'no lock'}, at {source(each.place)}" for each in both]
    out = wrap(f"Not of this patch, for the base has it too: {'; '.join(listed)}.") if both else []
    for death in review.before.deaths:
        out += wrap(f"Without this patch the kernel died too, in {_where(death)}: {death.words}.")
    return out


def _where(death: Death) -> str:
    return source(death.place) or death.place.function or "the kernel"


def _setup(review: Review) -> list[str]:
    out = heading("How")
    report = review.after or review.before
    if report is not None:
        out += labelled("kernel", f"{report.kernel}, {report.cpus} CPUs")
    out += labelled("base", review.base)
    if review.commit:
        out.append(f"base-commit: {review.commit}")
    if review.link:
        out.append(f"Link: {ascii_only(review.link)}")
    for note in review.notes:
        out += wrap(" ".join(note.split()), "- ", "  ")
    if review.comparison is not None:
        for name, value in setup.brief(review.comparison):
            if name in ("workload", "runs", "machine"):
                out += labelled(name, value)
    return [*out, "", *heading("To repeat this"), *shell_command(review.command)]


def _without_tags(text: str) -> str:
    """*text* with no line that begins as a tag; a quoted one begins with its mark."""
    return _TAG.sub(r" \1:", text)
