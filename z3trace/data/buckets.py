"""Log-linear buckets: the Python mirror of ``probes/histogram.h``.

16 buckets to an octave, ``[lo, hi)``, all of u64; values below 16 have a
bucket each.  A bucket is never wider than 1/16 of its lower edge, so a
quantile interpolated inside it is off by at most 6.25 % and carries that
width with it.
"""

from collections.abc import Mapping

SUB_BITS = 4
SUB = 1 << SUB_BITS
BUCKETS = (64 - SUB_BITS + 1) * SUB
SCHEME = "log-linear-16"
U64_MAX = (1 << 64) - 1


def index(value: int) -> int:
    """Bucket of *value* (0 <= value < 2**64); ValueError outside."""
    if not 0 <= value <= U64_MAX:
        raise ValueError(f"{value} is not an unsigned 64-bit number")
    if value < SUB:
        return value
    top = value.bit_length() - 1
    return (top - SUB_BITS + 1) * SUB + (value >> (top - SUB_BITS) & SUB - 1)


def lower(bucket: int) -> int:
    """Smallest value in *bucket* (0 <= bucket < BUCKETS)."""
    if not 0 <= bucket < BUCKETS:
        raise ValueError(f"{bucket} is not a bucket")
    if bucket < SUB:
        return bucket
    octave, part = divmod(bucket, SUB)
    return (SUB + part) << (octave - 1)


def upper(bucket: int) -> int:
    """First value above *bucket*; 2**64 for the last one."""
    if bucket == BUCKETS - 1:
        return 1 << 64
    return lower(bucket + 1)


def width(bucket: int) -> int:
    return upper(bucket) - lower(bucket)


def shifted(counts: Mapping[int, int], by: int) -> dict[int, int]:
    """The histogram of all values less *by*, no less than 0.

    Within a bucket values are taken as evenly spread, as quantiles take them; what
    lands in several buckets is shared out to whole counts, the last one takes what
    rounding left.
    """
    moved: dict[int, int] = {}
    for bucket, count in sorted(counts.items()):
        low, high = max(lower(bucket) - by, 0), max(upper(bucket) - by, 1)
        first, last = index(low), index(high - 1)
        given = 0
        for target in range(first, last + 1):
            share = count - given
            if target < last:
                share = round(count * (upper(target) - low) / (high - low)) - given
            if share:
                moved[target] = moved.get(target, 0) + share
            given += share
    return moved
