"""What the kernel prints of an incident is what a guest's console tells."""

import re
from pathlib import Path

import checksamples
import pytest
from compiling import printed

from z3trace.bpf import checklayout
from z3trace.bpf.programs import probe_source
from z3trace.data import incident, rules
from z3trace.data.incident import RawIncident, RawStep

HEADER = checksamples.header()
LONG_HOLD = rules.IN_KERNEL.index("long-hold")
INVERSION = rules.IN_KERNEL.index("order-inversion")
CONDITION = rules.IN_KERNEL.index(rules.CONDITION_MET)
TIME = 5_000_000_000
STEPS = [RawStep(TIME - 100 * n, 0xFFFF888000001000 + n, 7 - n, n % 4) for n in range(8)]


def _raw(rule: int = LONG_HOLD, **changes: object) -> RawIncident:
    fields: dict[str, object] = {
        "time": TIME,
        "lock": 0xFFFF888000001010,
        "since": 4_000_000_000,
        "value": 1_000_000_000,
        "rule": rule,
        "task": 42,
        "other_task": 43,
        "cpu": 1,
        "site": 1,
        "other": 3,
        "lock_class": 1,
        "other_class": 2,
        "operation": 2,
        "next": 3,
        "name": b"worker",
        "steps": list(STEPS),
    }
    return RawIncident(**{**fields, **changes})  # type: ignore[arg-type]


def _printed_by_the_kernel(raw: RawIncident, directory: Path) -> str:
    """The lines that z3t_print of probes/incident.bpf.h prints, by that very function."""
    source = (probe_source() / "incident.bpf.h").read_text()
    function = re.search(r"^static __always_inline void z3t_print\(.*?^}\n", source, re.M | re.S)
    defines = re.findall(r"^#define Z3T_.*\n", source, re.M)
    assert function
    fields = [
        f".{name.replace('lock_class', 'class')} = {getattr(raw, name)}ULL,"
        for name, *_ in checklayout.Incident._fields_
        if name not in ("name", "steps")
    ]
    steps = ", ".join(f"{{{s.time}ULL, {s.lock}ULL, {s.site}, {s.kind}}}" for s in raw.steps)
    words = ", ".join(f"words[{n}]" for n in range(10))
    text = f"""
        #include <stdio.h>
        #include <string.h>
        #undef __always_inline
        #define __always_inline inline
        typedef unsigned long long u64; typedef unsigned int u32;
        typedef unsigned short u16; typedef unsigned char u8; typedef int s32;
        #include "check.h"
        {"".join(defines)}
        static long z3t_trace_vprintk(const char *format, u32 size, const void *data, u32 length)
        {{ const u64 *words = data; return printf(format, {words}); }}
        {function[0]}
        int main(void) {{
            struct z3t_incident incident = {{ {"".join(fields)} .steps = {{ {steps} }} }};
            memcpy(incident.name, "{raw.name.decode()}", {len(raw.name)});
            z3t_print(&incident);
            return 0;
        }}
        """
    said = printed(text, directory)
    lines, line = [], ""
    for word in said:
        if word.startswith("z3t-check"):
            lines.append(line)
            line = word
        else:
            line += f" {word}"
    return "\n".join([*lines[1:], line]) + "\n"


@pytest.mark.parametrize(
    "raw",
    [
        _raw(),
        _raw(value=(1 << 64) - 1, site=0, other=0, operation=0, name=b"0123456789abcdef"),
        _raw(INVERSION, value=4 << 32 | 1),
        _raw(CONDITION, site=2),
        _raw(cpu=255, task=0xFFFFFFFF, site=8192, next=0xFFFFFFFF),
        _raw(steps=[RawStep() for _ in range(8)]),
    ],
)
def test_the_console_tells_what_the_map_has(raw: RawIncident, tmp_path: Path) -> None:
    console = _printed_by_the_kernel(raw, tmp_path)
    (told,) = incident.printed(console, HEADER)
    assert told == incident.incident(raw, HEADER)


def test_lines_of_other_cpus_and_of_the_kernel_lie_between(tmp_path: Path) -> None:
    one = _printed_by_the_kernel(_raw(), tmp_path).splitlines()
    two = _printed_by_the_kernel(_raw(cpu=0, steps=STEPS[::-1]), tmp_path).splitlines()
    mixed = [f"[   12.3] worker-42 [001] d..1: {line}" for line in (one[0], two[0], two[1])]
    mixed += ["watchdog: BUG: soft lockup", one[1], two[2], one[2]]
    told = incident.printed("\r\n".join(mixed) + "\r\n", HEADER)
    assert [found.cpu for found in told] == [1, 0]
    assert told[0] == incident.incident(_raw(), HEADER)
    assert told[1].steps == incident.incident(_raw(cpu=0, steps=STEPS[::-1]), HEADER).steps


def test_an_incident_whose_steps_were_cut_off_is_told_without_them(tmp_path: Path) -> None:
    first, second, _ = _printed_by_the_kernel(_raw(), tmp_path).splitlines()
    (told,) = incident.printed(f"{first}\n{second}\n", HEADER)
    assert told.steps == []
    assert told.rule == "long-hold"


@pytest.mark.parametrize(
    "line",
    [
        "z3t-check0 0 0 0 0 0 0 0 0 0 0",  # no rule
        f"z3t-check0 {len(rules.IN_KERNEL):x}00000000 0 0 0 0 0 0 0 0 0",
        "z3t-check0 ffffffffffffffff 0 0 0 0 0 0 0 0 0",
        "z3t-check0 100000000 0 0 0 0 0 0 0 0",  # a word too few
        "z3t-check1 100000000 0 0 0 0 0 0 0 0 0",  # steps of nothing
        "z3t-check3 100000000 0 0 0 0 0 0 0 0 0",
    ],
)
def test_what_no_kernel_of_ours_printed_is_no_incident(line: str) -> None:
    assert incident.printed(line + "\n", HEADER) == []


def test_steps_are_in_order_of_time_the_next_one_is_the_oldest() -> None:
    steps = incident.incident(_raw(next=3), HEADER).steps
    assert [step.lock for step in steps] == [hex(STEPS[n % 8].lock) for n in range(3, 11)]
    assert steps[0].kind == rules.STEP_KINDS[3]


def test_numbers_are_put_into_words() -> None:
    told = incident.incident(_raw(), HEADER)
    assert (told.lock, told.lock_class, told.operation) == ("0xffff888000001010", "page", "free")
    assert (told.site, told.other, told.duration) == (0, 2, 1_000_000_000)
    assert (told.other_class, told.reverse, told.condition) == ("", None, "")
    turned = incident.incident(_raw(INVERSION, value=4 << 32 | 1), HEADER)
    assert (turned.other_class, turned.reverse, turned.duration) == ("pool", (3, 0), 0)
    met = incident.incident(_raw(CONDITION, site=2), HEADER)
    assert (met.condition, met.site, met.lock_class) == ("page compacted", None, "")


@pytest.mark.parametrize("number", [8, 4096, 0xFFFFFFFF])
def test_numbers_beyond_the_header_have_no_name(number: int) -> None:
    raw = _raw(lock_class=number, operation=number, other_class=number)
    told = incident.incident(raw, HEADER)
    assert (told.lock_class, told.operation) == ("", "")
    assert incident.incident(_raw(CONDITION, site=number), HEADER).condition == ""
