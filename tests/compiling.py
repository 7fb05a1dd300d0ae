"""Programs and object files that tests have gcc make of a few lines of C."""

import shutil
import subprocess
from pathlib import Path

from z3trace.bpf.programs import probe_source


def _gcc(source: str, directory: Path, output: str, *flags: str) -> Path:
    assert shutil.which("gcc"), "gcc is needed: setup.sh installs it"
    (directory / "test.c").write_text(source)
    made = directory / output
    strict = ("-Wall", "-Werror", "-Wno-misleading-indentation", f"-I{probe_source()}")
    subprocess.run(["gcc", *strict, *flags, "test.c", "-o", made], cwd=directory, check=True)
    return made


def printed(source: str, directory: Path, given: str = "") -> list[str]:
    """The words that a C program prints; it may include the headers in probes/."""
    program = _gcc(source, directory, "test")
    run = subprocess.run([program], input=given, capture_output=True, text=True, check=True)
    return run.stdout.split()


def compiled(source: str, directory: Path, *flags: str, name: str = "test.o") -> Path:
    """An object file, as a kernel module is one."""
    return _gcc(source, directory, name, "-c", *flags)


def made(directory: Path, *texts: str, name: str = "renamed-2.ko") -> Path:
    """A module's file that says *texts* of itself."""
    lines = "".join(
        f'static const char i{n}[] __attribute__((section(".modinfo"), used)) = "{text}";\n'
        for n, text in enumerate(texts)
    )
    directory.mkdir(parents=True, exist_ok=True)
    path = compiled(f"{lines}int f(void) {{ return 1; }}\n", directory, name="m.o")
    return shutil.move(path, directory / name)
