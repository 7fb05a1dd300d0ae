"""How much memory this process has needed."""

from pathlib import Path


def peak_mb() -> float:
    """The most that was resident at once since this program was started, in MB.

    Not getrusage's ru_maxrss: that has the memory of the process that started this one in
    it, for as long as the two shared it before exec.
    """
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
