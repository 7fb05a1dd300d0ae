"""Which class probes/classify.h says that a lock is of, held against the rules in words.

The header is compiled for this machine, with memory of the test's own in place of the
kernel's.
"""

import ctypes
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from compiling import compiled
from hypothesis import given
from hypothesis import strategies as st

from z3trace.bpf import layout
from z3trace.target.plan import ClassRule

SOURCE = """
#include <string.h>
typedef unsigned long long u64; typedef unsigned int u32;
typedef unsigned short u16; typedef unsigned char u8; typedef int s32; typedef long long s64;
#include "check.h"
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
static struct z3t_config *here;
static struct z3t_config *z3t_config(void) { return here; }
/* Memory that can be read: the words of *known*, each at its address. */
static u64 known[8][2];
static long bpf_probe_read_kernel(void *to, u32 size, const void *from)
{
	u64 value = 0;
	int i;

	for (i = 0; i < 8; i++)
		if (known[i][0] == (u64)from)
			value = known[i][1];
	memcpy(to, &value, size);
	return 0;
}
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#include "classify.h"
u32 classify(struct z3t_config *config, u64 pool, u64 lock, u32 rw, const u64 *words)
{
	static struct z3t_task task;

	here = config;
	task.pool = pool;
	memcpy(known, words, sizeof(known));
	return z3t_classify(&task, lock, rw);
}
"""
POOLS = (0xFFFF888000001000, 0xFFFF888000025040, 0xFFFF888000077700)
SPIN, READ, WRITE = layout.SPIN, layout.READ, layout.WRITE
POINTER = 40
RULES = (
    ClassRule(layout.RULE_POOL, 8, 1),
    ClassRule(layout.RULE_OBJECT, 48, 2, POINTER),
    ClassRule(layout.RULE_PAGE, 16, 3),
    ClassRule(layout.RULE_RWLOCK, 0, 4),
    ClassRule(layout.RULE_SPINLOCK, 0, 5),
)


@pytest.fixture(scope="module")
def header(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    directory: Path = tmp_path_factory.mktemp("classify")
    path = compiled(SOURCE, directory, "-fPIC", "-O2", "-Wno-unused-function")
    library = directory / "classify.so"
    subprocess.run(["gcc", "-shared", path, "-o", library], check=True)
    loaded = ctypes.CDLL(str(library))
    loaded.classify.restype = ctypes.c_uint32
    return loaded


@dataclass(frozen=True)
class Kernel:
    """Pools that are known, the task's own last, and words of memory by address."""

    pools: tuple[int, ...]
    memory: dict[int, int]

    def says(self, header: ctypes.CDLL, rules: tuple[ClassRule, ...], lock: int, rw: int) -> int:
        config = layout.Config()
        for number, rule in enumerate(rules):
            config.rules[number] = layout.Rule(rule.kind, rule.offset, rule.lock_class, 0)
        for number, pool in enumerate(self.pools[:-1]):
            config.pools[number] = pool
        objects = [rule for rule in rules if rule.kind == layout.RULE_OBJECT]
        config.has_object = len(objects)
        config.pointer = objects[0].pointer - objects[0].offset if objects else 0
        words = (ctypes.c_uint64 * 16)()
        for number, (address, value) in enumerate(self.memory.items()):
            words[2 * number], words[2 * number + 1] = address, value
        arguments = (ctypes.c_uint64(self.pools[-1]), ctypes.c_uint64(lock), ctypes.c_uint32(rw))
        return int(header.classify(ctypes.byref(config), *arguments, words))

    def means(self, rules: tuple[ClassRule, ...], lock: int, rw: int) -> int:
        """The class by the first rule that fits, as the target's definition says it."""
        pools = {pool for pool in self.pools if pool}
        for rule in rules:
            base = lock - rule.offset
            fits = {
                layout.RULE_POOL: base in pools,
                layout.RULE_OBJECT: rw == SPIN and self.memory.get(base + rule.pointer, 0) in pools,
                layout.RULE_PAGE: rw == SPIN and base % 4096 == 0,
                layout.RULE_RWLOCK: rw != SPIN,
                layout.RULE_SPINLOCK: rw == SPIN,
            }
            if fits[rule.kind]:
                return rule.lock_class
        return 0


CHAIN, ELSEWHERE, PAGE = 0xFFFF8880000AA000, 0xFFFF8880000BB300, 0xFFFF8880000CC000
KERNEL = Kernel(
    (POOLS[0], POOLS[1], POOLS[2]),
    {CHAIN + POINTER: POOLS[0], ELSEWHERE + POINTER: 0xFFFF888000DEAD00},
)


@pytest.mark.parametrize(
    ("lock", "rw", "expected"),
    [
        (POOLS[0] + 8, SPIN, 1),
        (POOLS[1] + 8, READ, 1),
        (POOLS[2] + 8, WRITE, 1),
        (CHAIN + 48, SPIN, 2),
        (CHAIN + 48, READ, 4),
        (ELSEWHERE + 48, SPIN, 5),
        (PAGE + 16, SPIN, 3),
        (PAGE + 16, WRITE, 4),
        (PAGE + 24, SPIN, 5),
        (0, SPIN, 5),
    ],
)
def test_a_lock_is_of_the_class_of_the_first_rule_that_fits(
    header: ctypes.CDLL, lock: int, rw: int, expected: int
) -> None:
    assert KERNEL.says(header, RULES, lock, rw) == expected
    assert KERNEL.means(RULES, lock, rw) == expected


def test_a_pool_that_is_not_there_is_none(header: ctypes.CDLL) -> None:
    """Neither for a lock at the offset itself, nor for an object that points to nothing."""
    nobody = Kernel((0, 0, 0), {})
    for lock, rw in ((CHAIN + 48, SPIN), (ELSEWHERE, READ)):
        assert nobody.says(header, RULES[:2], lock, rw) == 0


def test_without_rules_every_lock_is_of_class_other(header: ctypes.CDLL) -> None:
    assert KERNEL.says(header, (), POOLS[0] + 8, SPIN) == 0


_LOCKS = st.one_of(
    st.sampled_from([*(pool + 8 for pool in POOLS), CHAIN + 48, ELSEWHERE + 48, PAGE + 16]),
    st.integers(1 << 47, (1 << 64) - 1),
)


@given(
    rules=st.lists(st.sampled_from(RULES), max_size=8, unique=True),
    pools=st.tuples(*[st.sampled_from([0, *POOLS])] * 5),
    lock=_LOCKS,
    rw=st.sampled_from([SPIN, READ, WRITE]),
)
def test_whatever_the_rules_and_pools_are(
    header: ctypes.CDLL,
    rules: list[ClassRule],
    pools: tuple[int, ...],
    lock: int,
    rw: int,
) -> None:
    kernel = Kernel(pools, KERNEL.memory)
    assert kernel.says(header, tuple(rules), lock, rw) == kernel.means(tuple(rules), lock, rw)
