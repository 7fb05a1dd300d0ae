"""A bare root of a release of Debian, and programs run in it as root of a bare machine.

It is a minbase of debootstrap.  It is entered by bubblewrap and not by chroot(1), under
which the kernel refuses user namespaces and with them z3trace's own box; /proc is the
host's, for bubblewrap's own one has parts covered, and then no box inside may have one.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from z3trace.kernels import suites

#: How this machine reaches its package registries, which a bare root must, too.
_REGISTRIES = ("/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf", "/root/.config/pip/pip.conf")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_STALE = 'Acquire::Check-Valid-Until "false";\n'


@dataclass(frozen=True)
class Bare:
    """The root of one release; *name* is what debootstrap calls it."""

    name: str
    directory: Path

    def make(self, log: Path) -> None:
        """Make it anew."""
        if self.directory.exists():
            shutil.rmtree(self.directory)
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        command = ["debootstrap", "--variant=minbase", "--include=ca-certificates", self.name]
        with log.open("w") as file:
            subprocess.run(
                [*command, str(self.directory), suites.mirror()],
                stdout=file,
                stderr=subprocess.STDOUT,
                check=True,
            )

    def update(self, log: Path) -> bool:
        """Read the package lists; False if the mirror's are older than they may be, and
        were taken all the same."""
        if self.run(["apt-get", "-q", "update"], log, timeout=600) == 0:
            return True
        if not re.search(r"Release file .* is expired", log.read_text(errors="replace")):
            raise SystemExit(f"{self.name}: the package lists cannot be read: {log}")
        (self.directory / "etc/apt/apt.conf.d/90stale").write_text(_STALE)
        if self.run(["apt-get", "-q", "update"], log, timeout=600):
            raise SystemExit(f"{self.name}: the package lists cannot be read: {log}")
        return False

    def run(
        self, command: list[str], log: Path, *, timeout: float, where: str = "/root"
    ) -> int | None:
        """The exit status of *command* in the root, or None if it took too long; what it
        says goes to *log*."""
        with log.open("a") as file:
            process = subprocess.Popen(
                [*self._enter(where), *command],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                return process.wait(timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()
                return None

    def said(self, command: list[str]) -> str:
        """The first line that *command* says in the root; empty if it fails."""
        result = subprocess.run(
            [*self._enter("/"), *command], capture_output=True, text=True, check=False
        )
        lines = (result.stdout + result.stderr).strip().splitlines()
        return lines[0] if lines and result.returncode == 0 else ""

    def _enter(self, where: str) -> list[str]:
        shown = [*_REGISTRIES, *([os.environ["PIP_CERT"]] if "PIP_CERT" in os.environ else [])]
        options = ["--bind", str(self.directory), "/", "--dev", "/dev"]
        options += ["--dev-bind-try", "/dev/kvm", "/dev/kvm", "--bind", "/proc", "/proc"]
        options += ["--cap-add", "ALL", "--die-with-parent"]
        for path in shown:
            if Path(path).exists():
                options += ["--ro-bind", str(Path(path).resolve()), path]
        options += ["--setenv", "HOME", "/root", "--setenv", "PATH", _PATH, "--chdir", where]
        return ["bwrap", *options, "--"]
