"""The running kernel's types, from its BTF: structures, their members and locks, functions.

``/sys/kernel/btf`` has the kernel's own, and those of each loaded module that was built
with them.
"""

import ctypes
import errno
import os
from collections.abc import Iterator
from typing import Literal, NamedTuple

from z3trace.bpf.libbpf import library

_POINTER = 2  # kinds of types: BTF_KIND_PTR, BTF_KIND_STRUCT, BTF_KIND_FUNC
_STRUCT = 4
_FUNC = 12
_COUNT_MASK = 0xFFFF  # in a type's info: how many members or parameters follow it
_BIT_FIELDS = 1 << 31  # in a structure's info: sizes of bit fields stand above offsets
_BIT_OFFSET_MASK = 0xFFFFFF

_LOCK_TYPES: dict[str, Literal["spinlock", "rwlock"]] = {
    "spinlock_t": "spinlock",
    "raw_spinlock_t": "spinlock",
    "rwlock_t": "rwlock",
}


class LockMember(NamedTuple):
    """A lock in a structure, *offset* bytes behind its beginning."""

    structure: str
    member: str
    kind: Literal["spinlock", "rwlock"]
    offset: int = 0


class _Member(ctypes.Structure):
    """struct btf_member."""

    _fields_ = [("name", ctypes.c_uint32), ("type", ctypes.c_uint32), ("bits", ctypes.c_uint32)]


class _Parameter(ctypes.Structure):
    """struct btf_param."""

    _fields_ = [("name", ctypes.c_uint32), ("type", ctypes.c_uint32)]


class _Type(ctypes.Structure):
    """struct btf_type; members or parameters follow it."""

    _fields_ = [("name", ctypes.c_uint32), ("info", ctypes.c_uint32), ("last", ctypes.c_uint32)]

    @property
    def kind(self) -> int:
        return int(self.info) >> 24 & 31

    @property
    def count(self) -> int:
        return int(self.info) & _COUNT_MASK

    @property
    def behind(self) -> int:
        """The address of what follows it."""
        return ctypes.addressof(self) + ctypes.sizeof(_Type)


class _BtfInfo(ctypes.Structure):
    """The beginning of struct bpf_btf_info."""

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
    lib = library()
    number = ctypes.c_uint32(0)
    while lib.bpf_btf_get_next_id(number, ctypes.byref(number)) == 0:
        fd = lib.bpf_btf_get_fd_by_id(number)
        if fd < 0:
            continue
        name = ctypes.create_string_buffer(64)
        info = _BtfInfo(name=ctypes.addressof(name), name_len=len(name))
        size = ctypes.c_uint32(ctypes.sizeof(info))
        result = lib.bpf_obj_get_info_by_fd(fd, ctypes.byref(info), ctypes.byref(size))
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
    """The running kernel's BTF, and that of one loaded module.

    OSError if there is none.  *fd*: a descriptor of the module's object in the kernel, 0
    for the kernel's own types.
    """

    def __init__(self, module: str = "") -> None:
        lib = library()
        self._objects = [lib.btf__load_vmlinux_btf()]
        if not self._objects[0]:
            raise OSError(errno.ENOENT, "the kernel has no BTF")
        self.fd = 0
        if module:
            of_module = lib.btf__load_module_btf(module.encode(), self._objects[0])
            if not of_module:
                self.close()
                raise OSError(errno.ENOENT, f"module {module} has no BTF")
            self._objects.append(of_module)
            try:
                self.fd = _module_object(module)
            except OSError:
                self.close()
                raise

    def _find(self, name: str, kind: int) -> int | None:
        number = library().btf__find_by_name_kind(self._objects[-1], name.encode(), kind)
        return int(number) if number > 0 else None

    def _type(self, number: int) -> _Type:
        address = library().btf__type_by_id(self._objects[-1], number)
        return _Type.from_address(address) if address else _Type()

    def _name(self, offset: int) -> str:
        name = library().btf__name_by_offset(self._objects[-1], offset)
        return name.decode(errors="replace") if name else ""

    def _members(self, structure: _Type) -> Iterator[_Member]:
        for i in range(structure.count):
            yield _Member.from_address(structure.behind + i * ctypes.sizeof(_Member))

    def function(self, name: str) -> int | None:
        """The id of a function, None if BTF does not have it."""
        return self._find(name, _FUNC)

    def members(self, structure: str) -> dict[str, int]:
        """Member -> offset in bytes of a structure; {} if BTF does not have it."""
        number = self._find(structure, _STRUCT)
        if number is None:
            return {}
        declared = self._type(number)
        return {
            self._name(member.name): self._offset(declared, member)
            for member in self._members(declared)
        }

    @staticmethod
    def _offset(structure: _Type, member: _Member) -> int:
        """In bytes."""
        mask = _BIT_OFFSET_MASK if structure.info & _BIT_FIELDS else ~0
        return int(member.bits & mask) // 8

    def size(self, structure: str) -> int:
        """Of a structure, in bytes; 0 if BTF does not have it."""
        number = self._find(structure, _STRUCT)
        return int(self._type(number).last) if number else 0

    def _prototype(self, function: str) -> _Type | None:
        number = self.function(function)
        return None if number is None else self._type(self._type(number).last)

    def arguments(self, function: str) -> int | None:
        """How many arguments a function has; None if BTF does not have it."""
        prototype = self._prototype(function)
        return None if prototype is None else prototype.count

    def first_argument(self, function: str) -> str:
        """The structure that a function gets a pointer to first; empty if it does not."""
        prototype = self._prototype(function)
        if prototype is None or not prototype.count:
            return ""
        pointer = self._type(_Parameter.from_address(prototype.behind).type)
        pointed = self._type(pointer.last) if pointer.kind == _POINTER else _Type()
        return self._name(pointed.name) if pointed.kind == _STRUCT else ""

    def lock_members(self) -> list[LockMember]:
        """Members of the module's own structures that are spinlocks or rwlocks."""
        lib = library()
        start = lib.btf__type_cnt(self._objects[0]) if len(self._objects) > 1 else 1
        locks = []
        for number in range(start, lib.btf__type_cnt(self._objects[-1])):
            structure = self._type(number)
            if structure.kind != _STRUCT or not structure.name:
                continue
            for member in self._members(structure):
                kind = _LOCK_TYPES.get(self._name(self._type(member.type).name))
                if kind and member.name:
                    name = self._name(structure.name)
                    offset = self._offset(structure, member)
                    locks.append(LockMember(name, self._name(member.name), kind, offset))
        return locks

    def close(self) -> None:
        while self._objects:
            library().btf__free(self._objects.pop())
        if self.fd:
            os.close(self.fd)
            self.fd = 0
