"""What the workloads need is built when they are asked for, and only then."""

import shutil
from pathlib import Path

import pytest

from z3trace import paths
from z3trace.errors import UsageError, Z3traceError
from z3trace.kernels import workloads
from z3trace.kernels.layout import Kernel
from z3trace.workloads import choose


def _silent(_: str) -> None:
    pass


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """A kernel whose build fails, and whose headers declare what both modules drive."""
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "cache"))
    made = Kernel(tmp_path / "kernel", "6.1.0-9-amd64", "6.1.9-1")
    include = made.root / "usr/src/linux-headers-6.1.0-9-common/include/linux"
    for path in (made.headers / "Makefile", include / "zpool.h", include / "zsmalloc.h"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("modules:\n\tfalse\n")
    return made


def test_a_program_of_the_testbed_is_built_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path))
    said: list[str] = []
    path = workloads.build_program("bystander", said.append)
    assert path.read_bytes().startswith(b"\x7fELF")
    assert workloads.build_program("bystander", said.append) == path
    assert said == ["building bystander"]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["record", "--workload", "zs-bench:ops=9"], ["zs-bench"]),
        (["record", "--workload=zswap"], ["zswap"]),
        (["sh", "-ec", "a --workload zpool-bench:x -o y\nb --workload 'zs-bench'"], None),
        (["modprobe", "zswap"], []),
        (["record", "--workload", "zswapping"], []),
        (["record", "--workload"], []),
        (["true"], []),
    ],
)
def test_a_command_line_tells_what_is_asked_for(words: list[str], names: list[str] | None) -> None:
    assert workloads.asked_for(words) == (["zpool-bench", "zs-bench"] if names is None else names)


def test_every_workload_that_can_be_chosen_can_be_built() -> None:
    assert set(workloads.NAMES) == set(choose.NAMED)


def test_only_what_is_named_is_built(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    for name in workloads.NAMES:
        for table in (workloads._MODULES, workloads._PROGRAMS):
            if name in table:
                monkeypatch.setitem(table, name, lambda *_, name=name: made.append(name))  # type: ignore[arg-type]
    workloads.build_workloads(kernel, ["zs-bench:ops=2", "my-own", "zs-bench"], _silent)
    assert made == ["zs-bench"]


def test_our_own_module_needs_no_box(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("z3trace.kernels.box._walls", lambda _: pytest.fail("a box was asked for"))
    for name in ("zpool-bench", "zs-bench"):
        with pytest.raises(Z3traceError, match=rf"building {name.replace('-', '_')}\.ko failed"):
            workloads.build_workload(kernel, _silent, name)


def test_a_kernel_without_zpool_is_said_with_what_works_there(kernel: Kernel) -> None:
    shutil.rmtree(kernel.root)
    with pytest.raises(UsageError, match=r"6\.1\.0-9-amd64 has no zpool") as raised:
        workloads.build_workload(kernel, _silent)
    assert "--workload zs-bench" in str(raised.value.hint)
    with pytest.raises(UsageError, match=r"have no linux/zsmalloc\.h"):
        workloads.build_workload(kernel, _silent, "zs-bench")


def test_a_workload_that_is_no_module_is_said(kernel: Kernel) -> None:
    with pytest.raises(UsageError, match="'zswap' is no module"):
        workloads.build_workload(kernel, _silent, "zswap")


OLD = """
unsigned long zs_malloc(struct zs_pool *pool, size_t size, gfp_t flags);
void *zs_map_object(struct zs_pool *pool, unsigned long handle,
\t\t\tenum zs_mapmode mm);
"""
SOME = """
unsigned long zs_malloc(struct zs_pool *pool, size_t size, gfp_t flags,
\t\t\tconst int nid);
void *zs_obj_read_begin(struct zs_pool *pool, unsigned long handle,
\t\t\tvoid *local_copy);
"""
NEW = """
unsigned long zs_malloc(struct zs_pool *pool, size_t size, gfp_t flags,
\t\t\tconst int nid);
void *zs_obj_read_begin(struct zs_pool *pool, unsigned long handle,
\t\t\tsize_t mem_len, void *local_copy);
void zs_obj_read_sg_begin(struct zs_pool *pool, unsigned long handle,
\t\t\t  struct scatterlist *sg, size_t mem_len);
"""


@pytest.mark.parametrize(
    ("header", "flags"),
    [
        (OLD, ""),
        (SOME, "-DZS_HAS_READ -DZS_MALLOC_TAKES_NODE"),
        (NEW, "-DZS_HAS_READ -DZS_READ_TAKES_SIZE -DZS_HAS_SG -DZS_MALLOC_TAKES_NODE"),
    ],
)
def test_the_header_says_how_zsmalloc_is_called(header: str, flags: str) -> None:
    assert workloads.zsmalloc_flags(header) == flags


def test_what_is_built_of_zs_bench_depends_on_the_header(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another interface is another module, whatever is in the cache."""
    flags = []
    monkeypatch.setattr(workloads, "build_own", lambda *arguments: flags.append(arguments[3]))
    for text in (OLD, NEW, OLD):
        header = next(kernel.root.glob("usr/src/*/include/linux/zsmalloc.h"))
        header.write_text(text)
        workloads.build_workload(kernel, _silent, "zs-bench")
    assert flags[0] == flags[2] != flags[1]


def test_each_flag_is_one_that_the_source_knows() -> None:
    source = (paths.testbed() / "workload/zs_bench.c").read_text()
    for flag in workloads._INTERFACES:
        assert f"#ifdef {flag}" in source
