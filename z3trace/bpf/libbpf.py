"""The few functions of libbpf that BCC's Python does not hand on: load a program for
one place of attachment, attach it, make a map; ``btf`` has those for types.

libbpf is what BCC itself stands on, so it is there where BCC is.
"""

import ctypes
import errno
import os
from functools import cache
from typing import Any

KPROBE = 2  # program types
PERF_PROGRAM = 7
RAW_TRACEPOINT = 17
TRACING = 26
PERF_EVENT = 41  # attach types
FENTRY = 24
FEXIT = 25
_ARRAY = 2  # map type
_MMAPABLE = 1 << 10  # map flag
_KEY_SIZE = 4  # bytes of an array's index
_NAME_SIZE = 15  # bytes of a name that the kernel keeps, without the zero at its end
_INSTRUCTION_SIZE = 8
_LOG_SIZE = 4 << 20
_LOG_TAIL = 12  # lines of the verifier's log that are told
_INFO_SIZE = 216  # struct bpf_prog_info as far as it is read
_RECURSION_MISSES = 208  # offset in it


class _LoadOptions(ctypes.Structure):
    """The beginning of struct bpf_prog_load_opts; *size* tells libbpf how much there is."""

    _fields_ = [
        ("size", ctypes.c_size_t),
        ("attempts", ctypes.c_int),
        ("expected_attach_type", ctypes.c_uint32),
        ("prog_btf_fd", ctypes.c_uint32),
        ("prog_flags", ctypes.c_uint32),
        ("prog_ifindex", ctypes.c_uint32),
        ("kern_version", ctypes.c_uint32),
        ("attach_btf_id", ctypes.c_uint32),
        ("attach_prog_fd", ctypes.c_uint32),
        ("attach_btf_obj_fd", ctypes.c_uint32),
        ("fd_array", ctypes.c_void_p),
        ("func_info", ctypes.c_void_p),
        ("func_info_cnt", ctypes.c_uint32),
        ("func_info_rec_size", ctypes.c_uint32),
        ("line_info", ctypes.c_void_p),
        ("line_info_cnt", ctypes.c_uint32),
        ("line_info_rec_size", ctypes.c_uint32),
        ("log_level", ctypes.c_uint32),
        ("log_size", ctypes.c_uint32),
        ("log_buf", ctypes.c_void_p),
    ]


class _MapOptions(ctypes.Structure):
    """The beginning of struct bpf_map_create_opts."""

    _fields_ = [
        ("size", ctypes.c_size_t),
        ("btf_fd", ctypes.c_uint32),
        ("btf_key_type_id", ctypes.c_uint32),
        ("btf_value_type_id", ctypes.c_uint32),
        ("btf_vmlinux_value_type_id", ctypes.c_uint32),
        ("inner_map_fd", ctypes.c_uint32),
        ("map_flags", ctypes.c_uint32),
    ]


class _MapInfo(ctypes.Structure):
    """The beginning of struct bpf_map_info."""

    _fields_ = [
        ("type", ctypes.c_uint32),
        ("id", ctypes.c_uint32),
        ("key_size", ctypes.c_uint32),
        ("value_size", ctypes.c_uint32),
        ("max_entries", ctypes.c_uint32),
        ("map_flags", ctypes.c_uint32),
    ]


@cache
def library() -> Any:
    """libbpf, loaded once; OSError if it is not there."""
    loaded = ctypes.CDLL("libbpf.so.1", use_errno=True)
    loaded.libbpf_set_print(None)
    for name in ("btf__load_vmlinux_btf", "btf__load_module_btf"):
        getattr(loaded, name).restype = ctypes.c_void_p
    loaded.btf__load_module_btf.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    loaded.btf__find_by_name_kind.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32]
    loaded.btf__type_by_id.restype = ctypes.c_void_p
    loaded.btf__type_by_id.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    loaded.btf__name_by_offset.restype = ctypes.c_char_p
    loaded.btf__name_by_offset.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    loaded.btf__free.argtypes = [ctypes.c_void_p]
    return loaded


def available() -> bool:
    try:
        return library() is not None
    except OSError:
        return False


def _checked(result: int) -> int:
    if result < 0:
        number = -result if result != -1 else ctypes.get_errno() or errno.EPERM
        raise OSError(number, os.strerror(number))
    return result


def load(
    kind: int, name: str, code: bytes, *, attach: int = 0, where: tuple[int, int] = (0, 0)
) -> int:
    """Load a program; its descriptor.  *where* is a function's BTF id and the
    descriptor of the BTF object that has it (0 for the kernel itself).  OSError, with
    the end of the verifier's log, if the kernel does not take it."""
    instructions = ctypes.create_string_buffer(code, len(code))
    options = _LoadOptions(
        size=ctypes.sizeof(_LoadOptions),
        expected_attach_type=attach,
        attach_btf_id=where[0],
        attach_btf_obj_fd=where[1],
    )
    log = ctypes.create_string_buffer(_LOG_SIZE)
    count = len(code) // _INSTRUCTION_SIZE
    arguments = (kind, name.encode()[:_NAME_SIZE], b"GPL", instructions, count)
    result = library().bpf_prog_load(*arguments, ctypes.byref(options))
    if result < 0:
        options.log_level, options.log_size = 1, _LOG_SIZE
        options.log_buf = ctypes.addressof(log)
        result = library().bpf_prog_load(*arguments, ctypes.byref(options))
    if result < 0:
        said = log.value.decode(errors="replace").strip().splitlines()[-_LOG_TAIL:]
        raise OSError(-result, f"{name}: {os.strerror(-result)}\n" + "\n".join(said))
    return int(result)


def create_array(name: str, value_size: int, entries: int) -> int:
    """A map of *entries* values that a process can map into its memory; its descriptor."""
    options = _MapOptions(size=ctypes.sizeof(_MapOptions), map_flags=_MMAPABLE)
    arguments = (_ARRAY, name.encode()[:_NAME_SIZE], _KEY_SIZE, value_size, entries)
    return _checked(library().bpf_map_create(*arguments, ctypes.byref(options)))


def array_shape(fd: int) -> tuple[int, int]:
    """(size of a value in bytes, number of values) of an array that can be mapped;
    ValueError if it is none."""
    info = _MapInfo()
    size = ctypes.c_uint32(ctypes.sizeof(info))
    _checked(library().bpf_obj_get_info_by_fd(fd, ctypes.byref(info), ctypes.byref(size)))
    if (info.type, info.key_size, info.map_flags) != (_ARRAY, _KEY_SIZE, _MMAPABLE):
        raise ValueError("not an array that can be mapped")
    return info.value_size, info.max_entries


def link(program: int, target: int, attach: int) -> int:
    """Attach a program to a perf event, or (*target* 0) to what it was loaded for."""
    return _checked(library().bpf_link_create(program, target, attach, None))


def raw_tracepoint(program: int, name: str) -> int:
    """Attach a program to a tracepoint of the kernel, such as ``sched_switch``."""
    return _checked(library().bpf_raw_tracepoint_open(name.encode(), program))


def program_info(program: int) -> bytes:
    """The kernel's struct bpf_prog_info of a loaded program."""
    buffer = ctypes.create_string_buffer(_INFO_SIZE)
    size = ctypes.c_uint32(_INFO_SIZE)
    _checked(library().bpf_obj_get_info_by_fd(program, buffer, ctypes.byref(size)))
    return buffer.raw


def recursion_misses(program: int) -> int:
    """How often the kernel did not run a tracing program, as it was running already."""
    return int.from_bytes(program_info(program)[_RECURSION_MISSES:], "little")
