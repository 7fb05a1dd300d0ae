"""Build a variant of a target's module, or the workload module, out of tree.

A variant is a name in ``testbed/variants`` (a TOML file that lists patches), a
file like it, or any list of semantic (``.cocci``) and unified (``.patch``,
``.diff``, mailbox) patches on the packaged source.  The built module lies in
the cache under a digest of everything it was made from.
"""

import hashlib
import json
import os
import re
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from z3trace import paths, tools
from z3trace.errors import InputError, UsageError
from z3trace.kernels.fetch import Kernel, Say

_RECIPE = "7"  # raise when the way of building changes
_SCRIPTS = re.compile(r"^\s*@[^@\n]*\b(script|initialize|finalize)\s*:", re.MULTILINE)
_OPTIONS = re.compile(r"^\s*#\s*spatch", re.MULTILINE)
_PATCH_LIMIT = 4 << 20


@dataclass(frozen=True)
class Variant:
    name: str
    description: str
    patches: tuple[Path, ...]
    #: Files of testbed that are included before the source.
    headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Module:
    """A built module: its file and what it was made from."""

    name: str
    path: Path
    variant: str
    digest: str
    fresh: bool


def shipped_variants() -> dict[str, str]:
    """Name and description of every variant in testbed/variants."""
    found = {}
    for path in sorted((paths.testbed() / "variants").glob("*.toml")):
        found[path.stem] = str(tomllib.loads(path.read_text())["description"])
    return found


def variant(name: str, patches: Sequence[Path] = ()) -> Variant:
    """The variant called *name* (shipped, a TOML file, or ``stock``) plus *patches*."""
    if name == "stock":
        return Variant("+".join(["stock", *(p.stem for p in patches)]), "", tuple(patches))
    path = Path(name) if name.endswith(".toml") else paths.testbed() / "variants" / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(["stock", *shipped_variants()])
        raise UsageError(f"there is no variant {name!r}", f"there are: {known}; or a .toml file")
    try:
        data = tomllib.loads(path.read_text())
        listed = tuple(path.parent / str(patch) for patch in data["patches"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a variant: {error}") from error
    return Variant(
        "+".join([path.stem, *(p.stem for p in patches)]),
        str(data.get("description", "")),
        (*listed, *patches),
        _headers(path, data),
    )


def _headers(path: Path, data: dict[str, object]) -> tuple[str, ...]:
    """The headers that a variant includes, of those that lie in testbed; no others."""
    names = data.get("headers", [])
    known = {header.name for header in paths.testbed().glob("*.h")}
    if not isinstance(names, list) or not set(names) <= known:
        raise InputError(f"{path}: headers must be a list of: {', '.join(sorted(known))}")
    return tuple(names)


def _read_patch(path: Path) -> bytes:
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
    elif path.suffix not in (".patch", ".diff", ".mbox", ".eml", ".txt"):
        raise UsageError(f"{path}: a patch ends in .cocci, .patch, .diff or .mbox")
    return data


def _parseable(source: Path) -> None:
    """Coccinelle gives up on a function with an attribute that takes an argument;
    the kernel's own macro for it means the same and is understood."""
    text = source.read_text()
    source.write_text(re.sub(r"__attribute__\(\(aligned\((\w+)\)\)\)", r"__aligned(\1)", text))


def apply(patch: Path, tree: Path, source: str) -> None:
    """Apply one patch to *source* in *tree*; InputError with the reject if it does not."""
    data = _read_patch(patch)
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


def _digest(kernel: Kernel, parts: Sequence[bytes]) -> str:
    compiler = tools.run(["gcc", "--version"]).splitlines()[0]
    digest = hashlib.sha256()
    for text in (_RECIPE, kernel.release, kernel.version, compiler):
        digest.update(text.encode() + b"\0")
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]


def _make(kernel: Kernel, directory: Path, name: str, flags: str) -> None:
    kbuild = f"obj-m := {name}.o\nccflags-y := {flags}\n"
    (directory / "Kbuild").write_text(kbuild)
    log = tools.run(
        ["make", "-C", kernel.headers, f"M={directory}", "modules"],
        doing=f"building {name}.ko",
        timeout=600,
    )
    (directory / "build.log").write_text(log)
    for junk in ("*.o", "*.mod", "*.mod.c", ".*.cmd", "modules.order", "Module.symvers", "*.ur-*"):
        for path in directory.glob(junk):
            path.unlink()


def _add_types(kernel: Kernel, module: Path) -> None:
    """Give a built module BTF, as the packaged ones have: probes on its operations can
    then be trampolines.  Without the kernel's ELF image it goes without."""
    if kernel.image == kernel.packaged_image:
        return
    tools.run(
        ["pahole", "-J", "--btf_base", kernel.image, module],
        # As the kernel's own build has it: pahole asks for LLVM's if nothing is said.
        env={**os.environ, "LLVM_OBJCOPY": tools.find("objcopy")},
        doing=f"adding BTF to {module.name}",
    )


def _write_facts(directory: Path, name: str, source: str) -> None:
    """Keep what debug information tells: reading it in an emulated guest takes long."""
    from z3trace.code import dwarf
    from z3trace.code.module import ModuleFile

    module = ModuleFile(directory / f"{name}.ko")
    offsets = {site.offset for site in module.sites if site.section == ".text"}
    places = dwarf.places(module.elf, offsets)
    facts = {
        "structs": dwarf.structs(module.elf, source),
        "places": {
            f".text+{offset:#x}": [place.file, place.line, place.chain]
            for offset, place in sorted(places.items())
        },
    }
    (directory / "facts.json").write_text(json.dumps(facts, indent=1))


def _built(directory: Path, name: str, variant_name: str, digest: str) -> Module | None:
    path = directory / f"{name}.ko"
    if not path.exists():
        return None
    return Module(name, path, variant_name, digest, fresh=False)


def build_variant(kernel: Kernel, source: str, chosen: Variant, say: Say) -> Module:
    """Patch *source* (such as ``mm/z3fold.c``) and build its module."""
    name = Path(source).stem
    headers = [paths.testbed() / name for name in ("visible.h", *chosen.headers)]
    contents = [_read_patch(patch) for patch in chosen.patches]
    parts = [kernel.source(source).read_bytes(), *(h.read_bytes() for h in headers), *contents]
    digest = _digest(kernel, parts)
    label = re.sub(r"[^A-Za-z0-9._+-]", "_", chosen.name)[:80]
    directory = paths.cache() / "modules" / kernel.release / f"{name}-{label}-{digest}"
    done = _built(directory, name, chosen.name, digest)
    if done:
        return done
    say(f"building {name}.ko, variant {chosen.name}")
    with paths.new_directory(directory, replace=False) as work:
        tree = work / "tree"
        (tree / source).parent.mkdir(parents=True)
        shutil.copy(kernel.source(source), tree / source)
        for patch in chosen.patches:
            apply(patch, tree, source)
        shutil.copy(tree / source, work / f"{name}.c")
        for header in headers:
            shutil.copy(header, work)
        shutil.rmtree(tree)
        _make(kernel, work, name, " ".join(f"-include $(src)/{h.name}" for h in headers))
        _add_types(kernel, work / f"{name}.ko")
        _write_facts(work, name, Path(source).name)
        record = {
            "variant": chosen.name,
            "digest": digest,
            "patches": [p.name for p in chosen.patches],
        }
        (work / "variant.json").write_text(json.dumps(record, indent=1))
    return Module(name, directory / f"{name}.ko", chosen.name, digest, fresh=True)


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
        _make(kernel, work, "zpool_bench", "-I$(src)")
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
    return directory / name


def build_pressure(say: Say) -> Path:
    """Build the user-space program of the workload ``zswap``."""
    return build_program("zswap_pressure", say)


def build_workloads(kernel: Kernel, say: Say) -> None:
    """Build whatever the workloads of our own need in a guest of *kernel*."""
    build_workload(kernel, say)
    build_pressure(say)
