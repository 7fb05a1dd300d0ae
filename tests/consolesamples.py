"""Lines of a guest's console made up for tests, as ``z3t_print`` writes them."""

from checksamples import ARMED

from z3trace.data import rules


def line(number: int, parts: list[int]) -> str:
    """Line *number* of an incident, of its numbers."""
    words = " ".join(f"{part:x}" for part in parts)
    return f"[   12.3] bpf_trace_printk: z3t-check{number} {words}"


def printed(rule: str, **words: int) -> str:
    """The first line of an incident of *rule*."""
    number = rules.IN_KERNEL.index(rule)
    task, site, name = words.get("task", 7), words.get("site", 0), b"worker\0\0".ljust(16, b"\0")
    parts = [
        number << 32 | 1,
        words.get("time", ARMED + 9_000_000),
        *(0xFFFF888000001010, ARMED, 0),
        task << 32 | words.get("other_task", 0),
        (site + 1) << 32,
        1 << 32 | 2,
        int.from_bytes(name[:8], "little"),
        int.from_bytes(name[8:], "little"),
    ]
    return line(0, parts)
