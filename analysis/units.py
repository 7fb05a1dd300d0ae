"""Numbers as people read them: plain ASCII, the same everywhere."""

import math

_MOST = 9.99
#: From so many times on a change reads as a multiple, not as a percentage.
_TIMES = 10.0
#: From so many seconds on a time, and from so much on a ratio, reads as a count.
_LONG = 9999.5


def nanoseconds(value: float) -> str:
    """Three significant digits with a unit: 842 ns, 3.71 us, 12.6 ms, 1.20 s."""
    if not math.isfinite(value):
        return "-"
    if abs(value) >= _LONG * 1e9:
        return f"{count(value / 1e9)} s"
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if abs(value) >= size * 0.9995:
            return f"{_three(value / size)} {unit}"
    return f"{value:.0f} ns"


def difference(value: float) -> str:
    """ns with a sign: +548 ns."""
    return f"{'+' if value > 0 else ''}{nanoseconds(value)}"


def corrected(value: float, least: float) -> str:
    """ns without the probes' cost; below *least* only that it is: <20 ns."""
    return f"<{nanoseconds(least)}" if value < least else nanoseconds(value)


def _three(value: float) -> str:
    digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    return f"{value:.{digits}f}"


def count(value: float) -> str:
    """1234567 as 1.23M; exact below 10000; from 10^15 on as 1.23e+15."""
    if not math.isfinite(value):
        return "-"
    if abs(value) < 10000:
        return f"{value:.0f}" if value == round(value) or abs(value) >= 100 else f"{value:.3g}"
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size * 0.9995:
            scaled = value / size
            return f"{_three(scaled)}{unit}" if abs(scaled) < 999.5 else f"{value:.2e}"
    return f"{value:.0f}"


def value(number: float, unit: str) -> str:
    """A number in the unit of its metric."""
    if unit == "ns":
        return nanoseconds(number)
    if unit == "ops/s":
        return f"{count(number)}/s" if math.isfinite(number) else "-"
    if unit == "of acquisitions":
        return "-" if not math.isfinite(number) else f"{number * 100:.2f} %"
    if unit == "s":
        return nanoseconds(number * 1e9)
    return "-" if not math.isfinite(number) else f"{number:.3g}"


def change(ratio: float) -> str:
    """A ratio as a change: -52.1 %, +3.4 %; 12.3 times from tenfold on."""
    if not math.isfinite(ratio):
        return "-"
    return f"{(ratio - 1) * 100:+.1f} %" if ratio < _TIMES else f"{count(ratio)} times"


def detectable(number: float) -> str:
    """The smallest change that could be found: 4.2%; ``none`` if so few runs find none."""
    if math.isnan(number):
        return ""
    if math.isinf(number):
        return "none"
    return f"{number:.1%}" if number < _MOST else f">{_MOST:.0%}"


def ratio(number: float) -> str:
    """Three decimals; what is not 0 never reads as 0: <0.001."""
    if not math.isfinite(number):
        return "-"
    if number >= _LONG:
        return count(number)
    return "<0.001" if 0 < number < 0.0005 else f"{number:.3f}"


def interval(low: float, high: float) -> str:
    if not (math.isfinite(low) and math.isfinite(high)):
        return "-"
    return f"[{ratio(low) if low >= _LONG else f'{low:.3f}'}, {ratio(high)}]"


def share(part: float, *, at_most: bool = False) -> str:
    """A part of a whole: ``12%``; ``<12%`` of what is no more; ``?`` of what is not known."""
    if math.isnan(part):
        return "?"
    return f"<{math.ceil(part * 100)}%" if at_most and part else f"{part:.0%}"


def share_order(told: str) -> float:
    """What a share in words is sorted by: what is not known comes last."""
    digits = told.strip("<%")
    return float(digits) if digits.isdigit() else 101.0 if told == "?" else -1.0
