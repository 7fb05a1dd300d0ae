"""The workload ``zpool-bench``: a kernel module that drives an allocator through zpool."""

from typing import ClassVar

from z3trace.workloads.bench import COMMON, Bench


class ZpoolBench(Bench):
    """The kernel module ``zpool_bench``."""

    NAME = "zpool-bench"
    DEFAULTS: ClassVar = {"type": "z3fold", **COMMON, "reclaim": "0", "refuse": "0"}

    def driven(self) -> str:
        return self.parameters.get("type", self.DEFAULTS["type"])
