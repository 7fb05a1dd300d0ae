"""Whether a kernel can be a guest: what it needs to boot and to see the host's files."""

from z3trace.errors import CannotTraceError
from z3trace.kernels import kconfig
from z3trace.kernels.layout import Kernel

#: Option -> what it is for; built in or a module.
_NEEDS = {
    "CONFIG_SERIAL_8250_CONSOLE": "a console on the serial line",
    "CONFIG_VIRTIO_PCI": "QEMU's devices",
    "CONFIG_9P_FS": "9p, by which a guest sees the files of its host",
    "CONFIG_NET_9P_VIRTIO": "9p over virtio, by which a guest sees the files of its host",
    "CONFIG_OVERLAY_FS": "overlayfs, by which a guest writes over the files of its host",
}


def must_be_fit(kernel: Kernel) -> None:
    """CannotTraceError, saying what it lacks, if *kernel* cannot be a guest."""
    config = kconfig.of(kernel)
    for option, what in _NEEDS.items():
        if config and config.get(option) not in ("y", "m"):
            raise CannotTraceError(
                f"{kernel.release} cannot be a guest: it lacks {what} ({option})",
                "take a kernel of the ordinary flavour, such as 6.12-amd64",
            )
