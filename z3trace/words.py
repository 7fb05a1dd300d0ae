"""Numbers of things in words: one run, two runs."""


def amount(number: int, one: str, more: str = "") -> str:
    """``1 run``, ``2 runs``; *more*: the plural, where it is not *one* with an s."""
    return f"{number} {one if number == 1 else more or f'{one}s'}"


def plural(number: int, one: str, more: str = "") -> str:
    """The word alone, as *number* of them are called."""
    return one if number == 1 else more or f"{one}s"
