"""The patches of a variant, on their way into a module's source."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from z3trace import paths
from z3trace.kernels import patch
from z3trace.kernels.layout import Kernel
from z3trace.kernels.packages import Say
from z3trace.kernels.variant import Variant


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
        return [*(each.identity for each in self.patches), *fuzz]

    def apply(self, kernel: Kernel, source: str, work: Path, *, boxed: bool) -> None:
        """Write *source* with the patches into *work*, and headers beside it that they make or
        change; InputError if one does not fit."""
        packaged, tree = kernel.source(source), work / "tree"
        (tree / source).parent.mkdir(parents=True)
        for path in (packaged, *packaged.parent.glob("*.h")):
            shutil.copy(path, (tree / source).parent)
        way = patch.Way(self._note, self.variant.fuzz, boxed)
        headers = patch.apply(self.patches, tree, source, way)
        for name in (source, *headers):
            (work / Path(name).name).write_bytes(patch.read_source(tree / name))
        shutil.rmtree(tree)

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
