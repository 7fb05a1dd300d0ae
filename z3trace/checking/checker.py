"""A recorder whose programs judge lock discipline too, while a workload runs."""

from msgspec import structs

from z3trace.bpf.programs import Programs
from z3trace.checking import arming
from z3trace.checking.arming import Judged, Limits
from z3trace.checking.findings import Findings
from z3trace.data.checkfile import Header
from z3trace.probing.arming import Armed
from z3trace.probing.choice import Choice
from z3trace.recording.run import Recorder
from z3trace.target.plan import Plan


class Checker(Recorder):
    """The programs must be compiled with ``check``.

    *findings* are of the time since the last ``attach``.
    """

    def __init__(self, programs: Programs, plan: Plan, choice: Choice, limits: Limits) -> None:
        super().__init__(programs, plan, choice)
        if programs.check is None:
            raise ValueError("the programs were compiled without the rules")
        self._maps = programs.check
        self._limits = limits
        self._judge(Judged())

    def _judge(self, judged: Judged) -> None:
        self._judged = judged
        self.findings = Findings(self._programs, self._maps, self.plan, judged)

    def attach(self, probe: str = "all") -> Armed:
        """Attach the probes of a recording and those of the rules; judging begins then."""
        armed = super().attach(probe)
        try:
            self._judge(arming.arm(self._programs, self._maps, self.plan, self._limits, armed))
        except BaseException:
            armed.close()
            raise
        return armed

    def header(self, workload: str, label: str, command: list[str]) -> Header:
        """What is checked; the probes must be attached."""
        return Header(
            **structs.asdict(self.origin(workload, label, command)),
            operation_names=self.plan.operation_names(),
            locks=self.plan.target.classes(),
            conditions=self._judged.conditions,
            not_judged=self._judged.not_judged,
            armed=self._judged.since,
        )
