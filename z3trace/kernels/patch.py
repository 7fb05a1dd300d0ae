"""Read and apply patches: semantic (``.cocci``) and unified (``.patch``, ``.diff``, mailbox)."""

import re
from pathlib import Path

from z3trace import tools
from z3trace.errors import InputError, UsageError

_SCRIPTS = re.compile(r"^\s*@[^@\n]*\b(script|initialize|finalize)\s*:", re.MULTILINE)
_OPTIONS = re.compile(r"^\s*#\s*spatch", re.MULTILINE)
_PATCH_LIMIT = 4 << 20  # bytes
_UNIFIED = (".patch", ".diff", ".mbox", ".eml", ".txt")


def read(path: Path) -> bytes:
    """The patch's content, if it is a patch and holds no code; else InputError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the patch {path}: {error.strerror}") from error
    if len(data) > _PATCH_LIMIT:
        raise InputError(f"{path} is larger than {_PATCH_LIMIT >> 20} MiB: not a patch")
    if path.suffix == ".cocci":
        text = data.decode(errors="replace")
        if _SCRIPTS.search(text) or _OPTIONS.search(text):
            raise InputError(
                f"{path} holds a script rule or spatch options",
                "z3trace runs no code from a semantic patch: leave them out",
            )
    elif path.suffix not in _UNIFIED:
        raise UsageError(f"{path}: a patch ends in .cocci, .patch, .diff or .mbox")
    return data


def _parseable(source: Path) -> None:
    """Coccinelle gives up on a function with an attribute that takes an argument;
    the kernel's own macro for it means the same and is understood."""
    text = source.read_text()
    source.write_text(re.sub(r"__attribute__\(\(aligned\((\w+)\)\)\)", r"__aligned(\1)", text))


def apply(patch: Path, tree: Path, source: str) -> None:
    """Apply one patch to *source* in *tree*; InputError with the reject if it does not."""
    data = read(patch)
    target = tree / source
    before = target.read_bytes()
    if patch.suffix == ".cocci":
        _parseable(target)
        before = target.read_bytes()
        tools.run(
            ["spatch", "--very-quiet", "--sp-file", patch.absolute(), "--in-place", target],
            doing=f"{patch.name} (spatch)",
            timeout=120,
        )
    else:
        copy = tree / "applied.patch"
        copy.write_bytes(data)
        try:
            tools.run(
                ["patch", "-p1", "--batch", "--forward", "--no-backup-if-mismatch", "-i", copy],
                cwd=tree,
                doing=f"{patch.name} does not apply: patch",
            )
        except Exception as error:
            rejects = "".join(r.read_text(errors="replace") for r in sorted(tree.rglob("*.rej")))
            raise InputError(f"{error}\n{rejects}".rstrip()) from error
    if target.read_bytes() == before:
        raise InputError(
            f"{patch} changes nothing in {source}", "is it for this kernel, and for this file?"
        )
