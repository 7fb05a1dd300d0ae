"""The few functions of libbpf that BCC's Python does not hand on: load a program for
one place of attachment, attach it, look a function up in the kernel's BTF.

libbpf is what BCC itself stands on, so it is there where BCC is.
"""

import ctypes
import errno
import os
from functools import cache
from typing import Any, Literal, NamedTuple

KPROBE = 2  # program types
PERF_PROGRAM = 7
RAW_TRACEPOINT = 17
TRACING = 26
PERF_EVENT = 41  # attach types
FENTRY = 24
FEXIT = 25
_ARRAY = 2  # map type
_MMAPABLE = 1 << 10  # map flag
_POINTER = 2  # BTF kinds
_STRUCT = 4
_FUNC = 12
_INFO_SIZE = 216
_LOG_SIZE = 4 << 20
_RECURSION_MISSES = 208


_LOCK_TYPES: dict[str, Literal["spinlock", "rwlock"]] = {
    "spinlock_t": "spinlock",
    "raw_spinlock_t": "spinlock",
    "rwlock_t": "rwlock",
}


class LockMember(NamedTuple):
    """A lock in a structure."""

    structure: str
    member: str
    kind: Literal["spinlock", "rwlock"]


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
def _library() -> Any:
    library = ctypes.CDLL("libbpf.so.1", use_errno=True)
    library.libbpf_set_print(None)
    for name in ("btf__load_vmlinux_btf", "btf__load_module_btf"):
        getattr(library, name).restype = ctypes.c_void_p
    library.btf__load_module_btf.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    library.btf__find_by_name_kind.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32]
    library.btf__type_by_id.restype = ctypes.c_void_p
    library.btf__type_by_id.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    library.btf__name_by_offset.restype = ctypes.c_char_p
    library.btf__name_by_offset.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    library.btf__free.argtypes = [ctypes.c_void_p]
    return library


def available() -> bool:
    try:
        return _library() is not None
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
    arguments = (kind, name.encode()[:15], b"GPL", instructions, len(code) // 8)
    result = _library().bpf_prog_load(*arguments, ctypes.byref(options))
    if result < 0:
        options.log_level, options.log_size = 1, _LOG_SIZE
        options.log_buf = ctypes.addressof(log)
        result = _library().bpf_prog_load(*arguments, ctypes.byref(options))
    if result < 0:
        said = log.value.decode(errors="replace").strip().splitlines()[-12:]
        raise OSError(-result, f"{name}: {os.strerror(-result)}\n" + "\n".join(said))
    return int(result)


def create_array(name: str, value_size: int, entries: int) -> int:
    """A map of *entries* values that a process can map into its memory; its descriptor."""
    options = _MapOptions(size=ctypes.sizeof(_MapOptions), map_flags=_MMAPABLE)
    arguments = (_ARRAY, name.encode()[:15], 4, value_size, entries)
    return _checked(_library().bpf_map_create(*arguments, ctypes.byref(options)))


def array_shape(fd: int) -> tuple[int, int]:
    """(size of a value in bytes, number of values) of an array that can be mapped;
    ValueError if it is none."""
    info = _MapInfo()
    size = ctypes.c_uint32(ctypes.sizeof(info))
    _checked(_library().bpf_obj_get_info_by_fd(fd, ctypes.byref(info), ctypes.byref(size)))
    if (info.type, info.key_size, info.map_flags) != (_ARRAY, 4, _MMAPABLE):
        raise ValueError("not an array that can be mapped")
    return info.value_size, info.max_entries


def link(program: int, target: int, attach: int) -> int:
    """Attach a program to a perf event, or (*target* 0) to what it was loaded for."""
    return _checked(_library().bpf_link_create(program, target, attach, None))


def raw_tracepoint(program: int, name: str) -> int:
    """Attach a program to a tracepoint of the kernel, such as ``sched_switch``."""
    return _checked(_library().bpf_raw_tracepoint_open(name.encode(), program))


def program_info(program: int) -> bytes:
    """The kernel's struct bpf_prog_info of a loaded program."""
    buffer = ctypes.create_string_buffer(_INFO_SIZE)
    size = ctypes.c_uint32(_INFO_SIZE)
    _checked(_library().bpf_obj_get_info_by_fd(program, buffer, ctypes.byref(size)))
    return buffer.raw


def recursion_misses(program: int) -> int:
    """How often the kernel did not run a tracing program, as it was running already."""
    return int.from_bytes(program_info(program)[_RECURSION_MISSES:], "little")


class _Member(ctypes.Structure):
    """struct btf_member."""

    _fields_ = [("name", ctypes.c_uint32), ("type", ctypes.c_uint32), ("bits", ctypes.c_uint32)]


class _Type(ctypes.Structure):
    """struct btf_type; members or parameters follow it."""

    _fields_ = [("name", ctypes.c_uint32), ("info", ctypes.c_uint32), ("last", ctypes.c_uint32)]


class _BtfInfo(ctypes.Structure):
    _fields_ = [
        ("btf", ctypes.c_uint64),
        ("btf_size", ctypes.c_uint32),
        ("id", ctypes.c_uint32),
        ("name", ctypes.c_void_p),
        ("name_len", ctypes.c_uint32),
        ("kernel_btf", ctypes.c_uint32),
    ]


def _module_object(module: str) -> int:
    """A descriptor of the kernel's own BTF object of a loaded module."""
    library = _library()
    number = ctypes.c_uint32(0)
    while library.bpf_btf_get_next_id(number, ctypes.byref(number)) == 0:
        fd = library.bpf_btf_get_fd_by_id(number)
        if fd < 0:
            continue
        name = ctypes.create_string_buffer(64)
        info = _BtfInfo(name=ctypes.addressof(name), name_len=len(name))
        size = ctypes.c_uint32(ctypes.sizeof(info))
        result = library.bpf_obj_get_info_by_fd(fd, ctypes.byref(info), ctypes.byref(size))
        if result == 0 and info.kernel_btf and name.value == module.encode():
            return int(fd)
        os.close(fd)
    raise OSError(errno.ENOENT, f"the kernel has no BTF of {module}")


def members(structure: str, module: str = "") -> dict[str, int]:
    """Member -> offset in bytes of a structure of the kernel or a loaded module; {} if
    there is no BTF that has it."""
    try:
        types = KernelTypes(module)
    except OSError:
        return {}
    try:
        return types.members(structure)
    finally:
        types.close()


class KernelTypes:
    """The running kernel's BTF, and that of one loaded module."""

    def __init__(self, module: str = "") -> None:
        library = _library()
        self._objects = [library.btf__load_vmlinux_btf()]
        if not self._objects[0]:
            raise OSError(errno.ENOENT, "the kernel has no BTF")
        self.fd = 0
        if module:
            found = library.btf__load_module_btf(module.encode(), self._objects[0])
            if not found:
                self.close()
                raise OSError(errno.ENOENT, f"module {module} has no BTF")
            self._objects.append(found)
            self.fd = _module_object(module)

    def function(self, name: str) -> int | None:
        """The id of a function, None if BTF does not have it."""
        found = _library().btf__find_by_name_kind(self._objects[-1], name.encode(), _FUNC)
        return int(found) if found > 0 else None

    def members(self, structure: str) -> dict[str, int]:
        """Member -> offset in bytes of a structure; {} if BTF does not have it."""
        library, types = _library(), self._objects[-1]
        number = library.btf__find_by_name_kind(types, structure.encode(), _STRUCT)
        if number <= 0:
            return {}
        header = ctypes.cast(library.btf__type_by_id(types, number), ctypes.POINTER(_Type))
        found = {}
        first = ctypes.addressof(header.contents) + ctypes.sizeof(_Type)
        for i in range(header.contents.info & 0xFFFF):
            member = _Member.from_address(first + i * ctypes.sizeof(_Member))
            # With the size of a bit field above the offset, if there are bit fields.
            bits = member.bits & 0xFFFFFF if header.contents.info >> 31 else member.bits
            found[self._name(member.name)] = bits // 8
        return found

    def size(self, structure: str) -> int:
        """Of a structure, in bytes; 0 if BTF does not have it."""
        found = _library().btf__find_by_name_kind(self._objects[-1], structure.encode(), _STRUCT)
        return int(self._type(found).last) if found > 0 else 0

    def _type(self, number: int) -> "_Type":
        found = _library().btf__type_by_id(self._objects[-1], number)
        return _Type.from_address(found) if found else _Type()

    def _name(self, offset: int) -> str:
        name = _library().btf__name_by_offset(self._objects[-1], offset)
        return name.decode(errors="replace") if name else ""

    def arguments(self, function: str) -> int | None:
        """How many arguments a function has; None if BTF does not have it."""
        number = self.function(function)
        return None if number is None else self._type(self._type(number).last).info & 0xFFFF

    def first_argument(self, function: str) -> str:
        """The structure that a function gets a pointer to first; empty if it does not."""
        number = self.function(function)
        if number is None:
            return ""
        prototype = self._type(self._type(number).last)
        if not prototype.info & 0xFFFF:
            return ""
        first = ctypes.addressof(prototype) + ctypes.sizeof(_Type)
        pointer = self._type(ctypes.c_uint32.from_address(first + 4).value)
        pointed = self._type(pointer.last) if pointer.info >> 24 & 31 == _POINTER else _Type()
        return self._name(pointed.name) if pointed.info >> 24 & 31 == _STRUCT else ""

    def lock_members(self) -> list[LockMember]:
        """Members of the module's own structures that are spinlocks or rwlocks."""
        library, types = _library(), self._objects[-1]
        start = library.btf__type_cnt(self._objects[0]) if len(self._objects) > 1 else 1
        found = []
        for number in range(start, library.btf__type_cnt(types)):
            one = self._type(number)
            if one.info >> 24 & 31 != _STRUCT or not one.name:
                continue
            first = ctypes.addressof(one) + ctypes.sizeof(_Type)
            for i in range(one.info & 0xFFFF):
                member = _Member.from_address(first + i * ctypes.sizeof(_Member))
                kind = _LOCK_TYPES.get(self._name(self._type(member.type).name))
                if kind and member.name:
                    found.append(LockMember(self._name(one.name), self._name(member.name), kind))
        return found

    def close(self) -> None:
        while self._objects:
            _library().btf__free(self._objects.pop())
        if self.fd:
            os.close(self.fd)
            self.fd = 0
