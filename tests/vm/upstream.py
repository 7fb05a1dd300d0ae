"""Mails of what upstream changed between two packaged kernels: made from their sources, for
the text of others is no part of this repository."""

import difflib
from pathlib import Path


def only(old: list[str], new: list[str], word: str) -> list[str]:
    """*old* with those of the changes to *new* that have *word* in a line that they add."""
    made: list[str] = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        wanted = tag != "equal" and any(word in line for line in new[c:d])
        made += new[c:d] if wanted else old[a:b]
    return made


def mail(source: str, old: Path, new: Path, word: str, directory: Path) -> tuple[Path, int]:
    """(mail, lines that it adds): what *only* makes of *source*, with *word* as its subject."""
    before, after = (path.read_text().splitlines(keepends=True) for path in (old, new))
    made = only(before, after, word)
    diff = list(difflib.unified_diff(before, made, f"a/{source}", f"b/{source}"))
    head = f"From: A <a@example.org>\nSubject: [PATCH] {source}: {word}\n\nA change.\n---\n"
    path = directory / f"{word.strip('(')}.eml"
    path.write_text(head + "".join(diff))
    return path, sum(line.startswith("+") and line[:3] != "+++" for line in diff)


def edited(tree: Path, edits: dict[str, tuple[str, str]], directory: Path) -> Path:
    """A mail that makes *edits* of files in *tree*: of each the text that stands there once,
    and what comes in its place."""
    diff: list[str] = []
    for name, (old, new) in edits.items():
        before = (tree / name).read_text()
        assert before.count(old) == 1, f"{old!r} is in {name} {before.count(old)} times"
        lines = (text.splitlines(keepends=True) for text in (before, before.replace(old, new)))
        diff += difflib.unified_diff(*lines, f"a/{name}", f"b/{name}")
    path = directory / "edited.eml"
    head = "From: A <a@example.org>\nSubject: [PATCH] a change of several files\n\nA change.\n---\n"
    path.write_text(head + "".join(diff))
    return path
