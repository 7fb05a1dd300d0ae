"""A kernel's configuration, as its packages or the running kernel tell it."""

from z3trace.kernels.layout import Kernel


def parsed(text: str) -> dict[str, str]:
    """Option -> value of every line that sets one, such as ``CONFIG_KPROBES``."""
    pairs = (line.partition("=") for line in text.splitlines() if line.startswith("CONFIG_"))
    return {key: value for key, _, value in pairs}


def of(kernel: Kernel) -> dict[str, str]:
    """The configuration of an unpacked kernel; {} if its packages have none."""
    for path in (
        kernel.root / f"boot/config-{kernel.release}",
        kernel.modules / "config",
        kernel.headers / ".config",
    ):
        try:
            return parsed(path.read_text(errors="replace"))
        except OSError:
            continue
    return {}
