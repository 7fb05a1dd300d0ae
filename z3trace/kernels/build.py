"""Build a variant of a target's module, or the workload module, out of tree.

The built module lies in the cache under a digest of everything it was made from.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from z3trace import paths, tools
from z3trace.kernels import facts
from z3trace.kernels.box import Box
from z3trace.kernels.layout import Kernel
from z3trace.kernels.packages import Say
from z3trace.kernels.patched import Patches
from z3trace.kernels.variant import Variant

_RECIPE = "10"  # raise when the way of building changes
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


def _digest(kernel: Kernel, parts: Sequence[bytes]) -> str:
    compiler = tools.run(["gcc", "--version"]).splitlines()[0]
    digest = hashlib.sha256()
    for text in (_RECIPE, kernel.release, kernel.version, compiler):
        digest.update(text.encode() + b"\0")
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]


def _make(kernel: Kernel, directory: Path, name: str, flags: str, *, boxed: bool) -> None:
    kbuild = f"obj-m := {name}.o\nccflags-y := {flags}\n"
    (directory / "Kbuild").write_text(kbuild)
    log = Box(directory, [kernel.directory], boxed).run(
        ["make", "-C", kernel.headers, f"M={directory}", "modules"],
        doing=f"building {name}.ko",
        timeout=600,
    )
    for junk in ("*.o", "*.mod", "*.mod.c", ".*.cmd", "modules.order", "Module.symvers", "*.ur-*"):
        for path in directory.glob(junk):
            path.unlink()
    (directory / "build.log").write_text(log)


def _add_types(kernel: Kernel, module: Path, *, boxed: bool) -> None:
    """Give a built module BTF, as the packaged ones have: probes on its operations can
    then be trampolines.  Without the kernel's ELF image it goes without."""
    if not kernel.unpacked_image.exists():
        return
    Box(module.parent, [kernel.directory], boxed).run(
        ["pahole", "-J", "--btf_base", kernel.unpacked_image, module],
        # As the kernel's own build has it: pahole asks for LLVM's if nothing is said.
        environment={"LLVM_OBJCOPY": "objcopy"},
        doing=f"adding BTF to {module.name}",
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

    With *boxed* false, the user's own decision, its name says so in every report.  With
    *timed*, the same source times its own locks; InputError if it cannot.
    """
    name = Path(source).stem
    origin = chosen.files.get(source) or kernel.source(source).read_bytes()
    headers = _headers(chosen, timed=timed)
    beside = _beside() if timed else []
    # What there is to say of patches is said with the build that is not timed.
    patches = Patches(chosen, _nobody if timed else say)
    files = [header.read_bytes() for header in (*headers, *beside)]
    parts = [origin, *files, *patches.parts]
    digest = _digest(kernel, parts if boxed else [*parts, b"unboxed"])
    called = re.sub(r"[^A-Za-z0-9._+-]", "_", chosen.name)[:80] + ("-timed" if timed else "")
    stem = f"{name}-{called}-{digest}"
    directory = paths.cache() / "modules" / kernel.release / stem
    if not boxed:
        say(f"the compiler meets the patches of {chosen.name} outside of a box, as --unboxed says")
    done = _built(directory, name, label(chosen.name, boxed=boxed), digest)
    if done:
        patches.tell_again(directory)
        return done
    say(f"building {name}.ko, variant {chosen.name}" + (", timed" if timed else ""))
    with paths.new_directory(directory, replace=False) as work:
        patches.apply(kernel, source, work, boxed=boxed)
        for header in (*headers, *beside):
            shutil.copy(header, work)
        flags = " ".join(f"-include $(src)/{header.name}" for header in headers)
        flags += f" {_INLINE}" if timed else ""
        _make(kernel, work, name, flags, boxed=boxed)
        _add_types(kernel, work / f"{name}.ko", boxed=boxed)
        facts.write(work / f"{name}.ko", Path(source).name, timed=timed)
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


def _nobody(_: str) -> None:
    """Hears what was said before."""


def _headers(chosen: Variant, *, timed: bool) -> list[Path]:
    """What is included before the source, in this order: a header of a variant may have
    lock calls of its own, which are timed too."""
    first = [paths.testbed() / "visible.h"]
    if timed:
        first.append(paths.testbed() / "timed/timed.h")
    return [*first, *(paths.testbed() / header for header in chosen.headers)]


def _beside() -> list[Path]:
    """What the header of a timed build includes."""
    from z3trace.bpf.programs import probe_source

    parts = sorted((paths.testbed() / "timed").glob("*.h"))
    return [probe_source() / "histogram.h", *(h for h in parts if h.name != "timed.h")]


def build_workload(kernel: Kernel, say: Say) -> Module:
    """Build zpool_bench.ko for *kernel*."""
    from z3trace.bpf.programs import probe_source

    source = paths.testbed() / "workload/zpool_bench.c"
    header = probe_source() / "histogram.h"
    digest = _digest(kernel, [source.read_bytes(), header.read_bytes()])
    directory = paths.cache() / "modules" / kernel.release / f"zpool_bench-{digest}"
    done = _built(directory, "zpool_bench", "", digest)
    if done:
        return done
    say("building zpool_bench.ko")
    with paths.new_directory(directory, replace=False) as work:
        shutil.copy(source, work)
        shutil.copy(header, work)
        # Our own source: no stranger's, so that it needs no box.
        _make(kernel, work, "zpool_bench", "-I$(src)", boxed=False)
    return Module("zpool_bench", directory / "zpool_bench.ko", "", digest, fresh=True)


def build_program(name: str, say: Say) -> Path:
    """Build a user-space program of ``testbed/workload``."""
    source = paths.testbed() / f"workload/{name}.c"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    directory = paths.cache() / "programs" / f"{name}-{digest}"
    if not directory.exists():
        say(f"building {name}")
        with paths.new_directory(directory, replace=False) as work:
            tools.run(["gcc", "-O2", "-Wall", "-o", work / name, source])
    return paths.trusted(directory / name)


def build_pressure(say: Say) -> Path:
    """Build the user-space program of the workload ``zswap``."""
    return build_program("zswap_pressure", say)


def build_workloads(kernel: Kernel, say: Say) -> None:
    """Build whatever the workloads of our own need in a guest of *kernel*."""
    build_workload(kernel, say)
    build_pressure(say)
