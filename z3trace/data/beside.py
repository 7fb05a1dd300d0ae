"""What a copy of built-in code is called: a module beside the kernel's own.

``testbed/beside.h`` gives its exported functions names of their own; inside the module they
are called what they are called in the kernel.
"""

_SUFFIX = "_beside"


def name_of(module: str) -> str:
    """The name of the copy of a built-in module."""
    return f"{module}{_SUFFIX}"


def is_copy(name: str, module: str) -> bool:
    """Whether a module called *name* is the copy of *module*."""
    return name == name_of(module)
