"""Build a variant of a target's module out of tree.

The built module lies in the cache under a digest of everything it was made from.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from z3trace import paths
from z3trace.code.elf import ObjectFile
from z3trace.errors import CannotTraceError, InputError
from z3trace.kernels import beside, facts, manyfiles
from z3trace.kernels import toolchain as toolchains
from z3trace.kernels.box import Box
from z3trace.kernels.layout import Kernel
from z3trace.kernels.lists import Say
from z3trace.kernels.patched import Patches, fitted, origin
from z3trace.kernels.toolchain import Toolchain
from z3trace.kernels.variant import Variant

_RECIPE = "13"  # raise when the way of building changes
#: In a timed build, helpers that take a lock are larger, and are to be inlined as before.
_INLINE = "--param=max-inline-insns-single=200"


@dataclass(frozen=True)
class Module:
    """A built module: its file and what it was made from."""

    name: str
    path: Path
    variant: str
    digest: str
    fresh: bool


def _digest(kernel: Kernel, toolchain: Toolchain, parts: Sequence[bytes]) -> str:
    digest = hashlib.sha256()
    for text in (_RECIPE, kernel.release, kernel.version, toolchain.identity):
        digest.update(text.encode() + b"\0")
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class _Builder:
    """What builds a kernel's modules: the machine's own programs, in the box or out of it,
    or those of a toolchain, which only the box can show."""

    kernel: Kernel
    toolchain: Toolchain
    boxed: bool

    def run(self, directory: Path, command: Sequence[str | Path], doing: str, **more: Any) -> str:
        boxed = self.boxed or not self.toolchain.own
        readable = [self.kernel.directory]
        return Box(directory, readable, boxed, self.toolchain.root).run(
            command, doing=doing, **more
        )


def _kbuild(name: str, source: str, flags: str) -> str:
    """Of a module of one file."""
    renamed = f"{name}-y := {source}.o\n" if source != name else ""
    return f"obj-m := {name}.o\nccflags-y := {flags}\n{renamed}"


def _make(builder: _Builder, directory: Path, name: str, kbuild: str) -> None:
    (directory / "Kbuild").write_text(kbuild)
    command: list[str | Path] = ["make", "-C", builder.kernel.headers, f"M={directory}", "modules"]
    log = builder.run(directory, command, f"building {name}.ko", timeout=600)
    for junk in ("*.o", "*.mod", "*.mod.c", ".*.cmd", "modules.order", "Module.symvers", "*.ur-*"):
        for path in directory.rglob(junk):
            path.unlink()
    (directory / "build.log").write_text(log)


def _add_types(builder: _Builder, module: Path) -> None:
    """Give a built module BTF, as the packaged ones have: probes on its operations can
    then be trampolines.  Where the headers have what it takes, the kernel's own build has
    done it, and done again it would not fit; without the kernel's ELF image it goes without."""
    image = builder.kernel.unpacked_image
    if not image.exists() or ObjectFile(module.read_bytes(), module.name).section(".BTF"):
        return
    builder.run(
        module.parent,
        ["pahole", "-J", "--btf_base", image, module],
        f"adding BTF to {module.name}",
        # As the kernel's own build has it: pahole asks for LLVM's if nothing is said.
        environment={"LLVM_OBJCOPY": "objcopy"},
    )


def _built(directory: Path, name: str, variant_name: str, digest: str) -> Module | None:
    path = directory / f"{name}.ko"
    if not path.exists():
        return None
    return Module(name, paths.trusted(path), variant_name, digest, fresh=False)


def label(variant: str, *, boxed: bool) -> str:
    """What reports call a variant: they say it if it was built outside of the box."""
    return variant if boxed else f"{variant}, built unboxed"


def build_variant(  # noqa: PLR0913 - what is built, and how
    kernel: Kernel,
    source: str,
    chosen: Variant,
    say: Say,
    *,
    boxed: bool = True,
    timed: bool = False,
) -> Module:
    """Patch *source* (such as ``mm/z3fold.c``) and build its module, in the box.

    A source that is built into the kernel is built beside it, see ``beside``.  With *boxed*
    false, the user's own decision, its name says so in every report.  With *timed*, the same
    source times its own locks; InputError if it cannot.
    """
    stem = Path(source).stem
    copy = beside.is_built_in(kernel, chosen.many or stem)
    name = chosen.many or (beside.name_of(stem) if copy else stem)
    if chosen.many:
        _must_be_possible(chosen, kernel, copy=copy, boxed=boxed, timed=timed)
    packaged = origin(chosen, kernel, source)
    chosen = fitted(chosen, kernel, source, _nobody if timed else say)
    headers = _headers(chosen, timed=timed, copy=copy)
    included = _included() if timed else []
    # What there is to say of patches is said with the build that is not timed.
    patches = Patches(chosen, _nobody if timed else say)
    files = [header.read_bytes() for header in (*headers, *included)]
    parts = [packaged, *files, *patches.parts]
    builder = _Builder(kernel, toolchains.of(kernel, say), boxed)
    if not boxed and not builder.toolchain.own:
        raise CannotTraceError(
            f"{kernel.release} is built with a compiler that this machine does not have",
            "its toolchain runs in the box only: leave out --unboxed",
        )
    digest = _digest(kernel, builder.toolchain, parts if boxed else [*parts, b"unboxed"])
    called = re.sub(r"[^A-Za-z0-9._+-]", "_", chosen.name)[:80] + ("-timed" if timed else "")
    directory = kernel.built / f"{name}-{called}-{digest}"
    if not boxed:
        say(f"the compiler meets the patches of {chosen.name} outside of a box, as --unboxed says")
    done = _built(directory, name, label(chosen.name, boxed=boxed), digest)
    if done:
        patches.tell_again(directory)
        return done
    say(f"building {name}.ko, variant {chosen.name}" + (", timed" if timed else ""))
    with paths.new_directory(directory, replace=False) as work:
        patches.apply(kernel, source, work, boxed=boxed)
        for header in (*headers, *included):
            shutil.copy(header, work)
        flags = " ".join(f"-include $(src)/{header.name}" for header in headers)
        # What lies beside the source in the kernel's tree; a patch's own comes first.
        flags += f" -I{kernel.sources / Path(source).parent}"
        flags += f" {_INLINE}" if timed else ""
        kbuild = _kbuild(name, stem, flags)
        if chosen.many:
            own = next(name for name in manyfiles.MAKEFILES if (work / name).exists())
            (work / own).rename(work / manyfiles.OWN)
            kbuild = manyfiles.kbuild(name, flags)
        _make(builder, work, name, kbuild)
        _add_types(builder, work / f"{name}.ko")
        names = dict.fromkeys(Path(path).name for path in (source, *chosen.files))
        facts.write(work / f"{name}.ko", list(names), timed=timed)
        record = {
            "variant": label(chosen.name, boxed=boxed),
            "digest": digest,
            "unboxed": not boxed,
            "timed": timed,
            **patches.record,
        }
        (work / "variant.json").write_text(json.dumps(record, indent=1))
    path = directory / f"{name}.ko"
    return Module(name, path, label(chosen.name, boxed=boxed), digest, fresh=True)


def _must_be_possible(
    chosen: Variant, kernel: Kernel, *, copy: bool, boxed: bool, timed: bool
) -> None:
    """Of a module of several files: CannotTraceError where it cannot be built, InputError
    where it cannot be timed."""
    if not boxed:
        raise CannotTraceError(
            f"the Makefile of {chosen.many} is somebody's program, and runs in the box only",
            "leave out --unboxed",
        )
    if copy:
        raise CannotTraceError(
            f"{chosen.many} is built into {kernel.release}",
            "what is built in can be built beside it if it is of one file; "
            "take a kernel that has it as a module",
        )
    if timed:
        raise InputError(f"{chosen.many} is of several files, and timed builds are of one")


def _nobody(_: str) -> None:
    """Hears what was said before."""


def _headers(chosen: Variant, *, timed: bool, copy: bool) -> list[Path]:
    """What is included before the source, in this order: a header of a variant may have
    lock calls of its own, which are timed too."""
    first = [paths.testbed() / "visible.h"]
    first += [beside.header()] if copy else []
    if timed:
        first.append(paths.testbed() / "timed/timed.h")
    return [*first, *(paths.testbed() / header for header in chosen.headers)]


def _included() -> list[Path]:
    """What the header of a timed build includes."""
    from z3trace.bpf.programs import probe_source

    parts = sorted((paths.testbed() / "timed").glob("*.h"))
    return [probe_source() / "histogram.h", *(h for h in parts if h.name != "timed.h")]


def build_own(kernel: Kernel, name: str, files: Sequence[Path], flags: str, say: Say) -> Module:
    """Build the module *name* from *files* of ours, its source and what that includes."""
    # Our own source needs no box; the tools of a kernel's tree may be a stranger's.
    builder = _Builder(kernel, toolchains.of(kernel, say), boxed=bool(kernel.own))
    parts = [flags.encode(), *(file.read_bytes() for file in files)]
    digest = _digest(kernel, builder.toolchain, parts)
    directory = kernel.built / f"{name}-{digest}"
    done = _built(directory, name, "", digest)
    if done:
        return done
    say(f"building {name}.ko")
    with paths.new_directory(directory, replace=False) as work:
        for file in files:
            shutil.copy(file, work)
        _make(builder, work, name, _kbuild(name, name, f"-I$(src) {flags}".strip()))
    return Module(name, directory / f"{name}.ko", "", digest, fresh=True)
