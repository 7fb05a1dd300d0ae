"""Facts of the machine, from the kernel's own texts."""

import os
import platform

import pytest

from z3trace.recording import environment

CPUINFO = """\
processor\t: 0
model name\t: Intel(R) Xeon(R) CPU
flags\t\t: fpu vme {more}
"""


@pytest.mark.parametrize(
    ("cpuinfo", "product", "said"),
    [
        (CPUINFO.format(more="sse"), "PowerEdge", "none"),
        (CPUINFO.format(more="sse hypervisor"), "KVM", "virtual machine (KVM)"),
        (CPUINFO.format(more="hypervisor"), "", "virtual machine"),
        # A flag of a longer name is another flag.
        (CPUINFO.format(more="hypervisor2"), "", "none"),
        ("model name\t: QEMU TCG CPU version 2.5+\n", "", "QEMU TCG (emulated)"),
        ("", "", "none"),
    ],
)
def test_what_it_runs_on(cpuinfo: str, product: str, said: str) -> None:
    assert environment.virtualization(cpuinfo, product) == said


def test_a_field_is_the_first_of_its_whole_name() -> None:
    text = "MemTotalX: 1\nMemTotal:  16 kB\nMemTotal: 17 kB\n"
    assert environment._field(text, "MemTotal") == "16 kB"
    assert environment._field(text, "Mem") == ""


@pytest.mark.parametrize(
    ("text", "mode"),
    [("none voluntary (full)", "full"), ("(none) voluntary full", "none"), ("", "")],
)
def test_the_preemption_in_use(text: str, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_read", lambda _: text)
    assert environment._preemption() == mode


def test_this_machine() -> None:
    facts = environment.collect()
    assert facts.kernel == platform.release()
    assert facts.cpus == os.cpu_count()
    assert facts.memory_kb > 100_000
    assert facts.kernel in facts.kernel_version
