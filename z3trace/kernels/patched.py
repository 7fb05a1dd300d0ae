"""The patches of a variant, on their way into a module's source."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from z3trace import paths
from z3trace.errors import Z3traceError
from z3trace.kernels import patch
from z3trace.kernels.layout import Kernel
from z3trace.kernels.lists import Say
from z3trace.kernels.variant import Variant


def origin(chosen: Variant, kernel: Kernel, source: str) -> bytes:
    """What the patches of a variant are for: *source* as it has it, or as it is packaged."""
    return chosen.files.get(source) or kernel.source(source).read_bytes()


def fitted(chosen: Variant, kernel: Kernel, source: str, say: Say) -> Variant:
    """The variant without the patches that *source* has no place or no need for; Z3traceError
    if the whole of it is for other sources."""
    content = origin(chosen, kernel, source)
    if not chosen.fits(content):
        raise Z3traceError(
            f"the variant {chosen.name} is for {chosen.needs}(), "
            f"which {source} of {kernel.release} does not have"
        )
    kept, idle = chosen.of(content).fitting(content)
    for each in idle:
        function = chosen.only_with[each]
        say(f"{each.name} is left out: it is for {function}(), which {source} does not have")
    return kept


@dataclass
class Patches:
    """A variant's patches, read once, and what there was to say when they were applied."""

    variant: Variant
    say: Say
    patches: list[patch.Patch] = field(init=False)
    #: The number of a patch, and a text; the patch may have another name in its next use.
    notes: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.patches = patch.read_all(self.variant.patches, self.say, self.variant.defines)

    @property
    def parts(self) -> list[bytes]:
        """All that decides what they do to a source."""
        fuzz = [b"fuzz %d" % self.variant.fuzz] if self.variant.fuzz else []
        files = [b"\0".join([path.encode(), data]) for path, data in self._files.items()]
        return [*files, *(each.identity for each in self.patches), *fuzz]

    @property
    def _files(self) -> dict[str, bytes]:
        return dict(sorted(self.variant.files.items()))

    def apply(self, kernel: Kernel, source: str, work: Path, *, boxed: bool) -> None:
        """Write *source* with the patches into *work*, and headers beside it that they make or
        change; InputError if one does not fit."""
        tree = work / "tree"
        self.lay_out(kernel, source, tree)
        way = patch.Way(self._note, self.variant.fuzz, boxed, bool(self.variant.many))
        headers = patch.apply(self.patches, tree, source, way)
        for name in {source: None, **dict.fromkeys([*headers, *self._files])}:
            there = work / PurePosixPath(name).relative_to(PurePosixPath(source).parent)
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(patch.read_source(tree / name))
        shutil.rmtree(tree)

    def lay_out(self, kernel: Kernel, source: str, tree: Path) -> None:
        """Write what the patches are for into *tree*: *source*, and headers beside it."""
        beside = kernel.sources / Path(source).parent
        (tree / source).parent.mkdir(parents=True, exist_ok=True)
        if source not in self.variant.files:
            shutil.copy(kernel.source(source), tree / source)
        for path in beside.glob("*.h"):
            shutil.copy(path, (tree / source).parent)
        for name, data in self._files.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes(data)

    def _note(self, each: patch.Patch, text: str) -> None:
        self.notes.append((self.patches.index(each), text))
        self.say(f"{each.name}: {text}")

    @property
    def record(self) -> dict[str, object]:
        """What is kept with the module."""
        return {"patches": [each.name for each in self.patches], "notes": self.notes}

    def tell_again(self, directory: Path) -> None:
        """Say of a module that was built before what was said then: it holds for each use."""
        record = json.loads((paths.trusted(directory) / "variant.json").read_text())
        for number, text in record.get("notes", []):
            self.say(f"{self.patches[number].name}: {text}")
