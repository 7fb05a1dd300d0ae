"""A kernel that cannot be a guest is refused before it is booted."""

from pathlib import Path

import pytest

from z3trace.errors import CannotTraceError
from z3trace.guest import fitness, vm
from z3trace.guest.qemu import Options
from z3trace.kernels import kconfig
from z3trace.kernels.layout import Kernel

WHOLE = {
    "CONFIG_SERIAL_8250_CONSOLE": "y",
    "CONFIG_VIRTIO_PCI": "m",
    "CONFIG_9P_FS": "m",
    "CONFIG_NET_9P_VIRTIO": "m",
    "CONFIG_OVERLAY_FS": "m",
}
PLACES = ["root/boot/config-6.1.0", "root/lib/modules/6.1.0/config"]
PLACES.append("root/usr/src/linux-headers-6.1.0/.config")


def _kernel(home: Path, options: dict[str, str], place: str = PLACES[0]) -> Kernel:
    path = home / place
    path.parent.mkdir(parents=True)
    lines = [f"{name}={value}" for name, value in options.items()]
    path.write_text("\n".join(["# CONFIG_XEN is not set", *lines, ""]))
    return Kernel(home, "6.1.0", "1")


@pytest.mark.parametrize("place", PLACES)
def test_the_configuration_is_found_wherever_it_lies(tmp_path: Path, place: str) -> None:
    kernel = _kernel(tmp_path, WHOLE, place)
    assert kconfig.of(kernel) == WHOLE
    fitness.must_be_fit(kernel)


def test_a_kernel_that_tells_nothing_is_booted(tmp_path: Path) -> None:
    fitness.must_be_fit(Kernel(tmp_path, "6.1.0", "1"))


@pytest.mark.parametrize("lacking", WHOLE)
def test_what_a_guest_cannot_do_without_is_named(tmp_path: Path, lacking: str) -> None:
    options = {name: value for name, value in WHOLE.items() if name != lacking}
    with pytest.raises(CannotTraceError, match=rf"6\.1\.0 cannot be a guest: .*\({lacking}\)"):
        fitness.must_be_fit(_kernel(tmp_path, options))


def test_it_is_refused_before_anything_is_booted(tmp_path: Path) -> None:
    kernel = _kernel(tmp_path, {**WHOLE, "CONFIG_9P_FS": "n"})
    with pytest.raises(CannotTraceError, match="lacks 9p"):
        vm.run(kernel, ["true"], Options(), lambda _: None)
