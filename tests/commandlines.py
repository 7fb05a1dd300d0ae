"""The command lines that documents and manual pages show, read from there."""

import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from z3trace.commands.examples import EXAMPLES

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")])
#: Verbs that need a kernel that can be traced, a guest, or a network.
GUEST = ("record", "ab", "check", "review", "vm")
#: Words that stand for something: of forms, which nobody can run as they are.
_FORM = re.compile(r"\b(FILE|DIRECTORY|MODULE|PATCH|BASE|TREE|RELEASE|NAME|COMMAND|VERB)\b|\.\.\.")
#: Programs that install or remove, and where what they do is tried.
INSTALL = {
    "apt-get": "make deb",
    "make": "make distributions",
    "python3": "make distributions",
    "/opt/z3trace/bin/pip": "tests/unit/test_wheel.py",
    ".": "make distributions",
    "git": "make seed",
    "pip": "tests/unit/test_wheel.py",
}


def install(where: Path) -> None:
    """Put this z3trace below *where*, in ``bin``, under the name that the documents call."""
    program = where / "bin/z3trace"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m z3trace "$@"\n')
    program.chmod(0o755)


@dataclass(frozen=True)
class Line:
    """A command line of a document; *text* as the shell gets it."""

    document: str
    text: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text, comments=True)

    @property
    def kind(self) -> str:
        """host, guest, install, or form."""
        words = self.words
        if words[0] in INSTALL:
            return "install"
        if _FORM.search(self.text.partition("#")[0]):
            return "form"
        verbs = re.findall(r"\bz3trace ([a-z-]+)(?: ([a-z]+))?", self.text)
        return "guest" if any(_in_guest(*verb, self.text) for verb in verbs) else "host"


def _in_guest(verb: str, inner: str, text: str) -> bool:
    kernel = verb == "kernel" and inner != "list" and "--variants" not in text
    return verb in GUEST or kernel or (verb, inner) == ("target", "init")


def _blocks(text: str) -> list[str]:
    """Lines of the indented blocks and of those that say that they are for a shell."""
    fenced = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
    rest = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    indented = re.findall(r"(?:^|\n)\n((?:    \S.*\n)+)", rest)
    return [line.strip() for block in (*fenced, *indented) for line in block.splitlines()]


def lines() -> list[Line]:
    """Every one, in the order of its document."""
    found = []
    for document in DOCUMENTS:
        for text in _blocks(document.read_text()):
            if re.match(rf"(z3trace|{'|'.join(map(re.escape, INSTALL))}) ", text):
                found.append(Line(document.name, text))
    for words, examples in EXAMPLES.items():
        page = "-".join(("z3trace", *words)) + ".1"
        found += [Line(page, text) for _, block in examples for text in block.splitlines()]
    return found
