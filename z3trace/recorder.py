"""Run a workload between attach and detach; raw maps -> Run."""

import ctypes
import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from z3trace import buckets, counters, environment, layout, module
from z3trace.attach import Attachments, refusal
from z3trace.bpf import Programs, probe_source
from z3trace.errors import CannotTraceError
from z3trace.model import (
    CallSite,
    ModuleInfo,
    Operation,
    Run,
    Session,
    WorkloadResult,
)
from z3trace.plan import KINDS, Plan
from z3trace.workload import Workload


@dataclass
class Coverage:
    """What could be attached, and why the rest could not."""

    operations: list[Operation]
    sites: list[CallSite]


def probe_digest() -> str:
    """One digest of all BPF sources, so that recordings by different probes differ."""
    digest = hashlib.sha256()
    for path in sorted(probe_source().glob("*.[ch]")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


class Recorder:
    """Records runs of one target whose module is loaded while a run lasts."""

    def __init__(self, programs: Programs, plan: Plan, lock_mode: str) -> None:
        self._programs = programs
        self.plan = plan
        self.lock_mode = lock_mode
        self.coverage: Coverage | None = None

    def _configure(self, loaded: module.LoadedModule) -> None:
        config = self._programs.config
        for i in range(layout.RULES):
            config.rules[i] = layout.Rule()
        for i, rule in enumerate(self.plan.rules):
            config.rules[i] = layout.Rule(rule.kind, rule.offset, rule.lock_class, 0)
        for op in self.plan.operations:
            config.results[op.number] = op.result_rule
        addresses = [loaded.address(site.section, site.offset) for site in self.plan.sites]
        config.text = min(addresses, default=0)
        if addresses and max(addresses) + 16 - config.text >= layout.PLACES:
            raise CannotTraceError(
                f"the text of {self.plan.target.module} is larger than the probes know"
            )
        self._place_sites(loaded, config.text)

    def _place_sites(self, loaded: module.LoadedModule, text: int) -> None:
        places = self._programs.places
        ctypes.memset(ctypes.addressof(places), 0, ctypes.sizeof(places))
        for site in self.plan.sites:
            call = places[loaded.address(site.section, site.offset) - text]
            call.call, call.call_rw = site.number + 1, KINDS[site.kind]
            if site.action != "release":
                after = places[loaded.address(site.section, site.after) - text]
                after.after, after.after_rw = site.number + 1, KINDS[site.kind]

    def _define_operations(
        self, probes: Attachments, loaded: module.LoadedModule
    ) -> list[Operation]:
        found = [
            Operation(name=name, function="", reason=reason)
            for name, reason in self.plan.missing.items()
        ]
        for op in self.plan.operations:
            address = hex(loaded.address(op.section, op.offset))
            reason = ""
            try:
                probes.define(f"return_{op.number}", address, on_return=True)
                probes.define(f"entry_{op.number}", address)
            except OSError as error:
                reason = refusal(error)
            found.append(
                Operation(
                    name=op.name,
                    function=op.function,
                    symbol=op.symbol,
                    attached=not reason,
                    reason=reason,
                )
            )
        return found

    def _define_site(self, probes: Attachments, site: module.Site) -> str:
        """Define one site's probes; the reason if it cannot be done."""
        name = self.plan.target.module
        if site.function in self.plan.file.ambiguous:
            return f"the module has more than one {site.function}"
        if site.tail and site.action != "release":
            return "a tail jump to a lock function has no instruction after it"
        begin, end = {
            "release": ("lock_release", ""),
            "acquire": ("lock_attempt", "lock_acquired"),
            "try": ("trylock_attempt", "trylock_result"),
        }[site.action]
        try:
            if end:
                probes.define(end, site.place(name, after=True))
            probes.define(begin, site.place(name))
        except OSError as error:
            return refusal(error)
        return ""

    def _enable(self, probes: Attachments) -> None:
        """What ends something before what begins it: a beginning never lacks its end."""
        for op in self.plan.operations:
            probes.enable(f"return_{op.number}", self._programs.fd("operation_return"), op.number)
        for name in (
            "lock_release",
            "lock_acquired",
            "trylock_result",
            "lock_attempt",
            "trylock_attempt",
        ):
            probes.enable(name, self._programs.fd(name))
        for op in self.plan.operations:
            probes.enable(f"entry_{op.number}", self._programs.fd("operation_entry"), op.number)

    def _define(self, probes: Attachments, loaded: module.LoadedModule) -> Coverage:
        sites = []
        for site in self.plan.sites:
            reason = "locks are not recorded"
            if self.lock_mode != "none":
                reason = self._define_site(probes, site)
            place = self.plan.file.facts.place(site)
            sites.append(
                CallSite(
                    number=site.number,
                    function=site.function,
                    offset=site.function_offset,
                    lock_function=site.lock_function,
                    action=site.action,
                    kind=site.kind,
                    file=place.file,
                    line=place.line,
                    inlined=list(place.chain[1:]),
                    attached=not reason,
                    reason=reason,
                )
            )
        return Coverage(self._define_operations(probes, loaded), sites)

    def attach(self) -> Attachments:
        """Attach everything; close what is returned to detach."""
        loaded = module.LoadedModule(self.plan.target.module)
        module.check_same(self.plan.file, loaded)
        self._programs.clear()
        self._configure(loaded)
        probes = Attachments()
        try:
            self.coverage = self._define(probes, loaded)
            if not any(op.attached for op in self.coverage.operations):
                raise CannotTraceError(
                    "no operation could be probed",
                    "; ".join(f"{op.name}: {op.reason}" for op in self.coverage.operations),
                )
            self._enable(probes)
        except BaseException:
            probes.close()
            raise
        return probes

    def run(self, workload: Workload, number: int, order: int, seed: int, *, probed: bool) -> Run:
        """One run.  An interrupt ends the workload, and the run is kept as such."""
        workload.prepare(seed, probed=probed)
        probes = self.attach() if probed else None
        before = self._tally(probes)
        started = datetime.now(UTC).isoformat(timespec="milliseconds")
        start = time.monotonic_ns()
        interrupted = False
        try:
            try:
                result = workload.run()
            except KeyboardInterrupt:
                interrupted = True
                result = WorkloadResult(status=130, elapsed=time.monotonic_ns() - start)
            duration = time.monotonic_ns() - start
            after = self._tally(probes)
        finally:
            if probes is not None:
                probes.close()
        run = Run(
            number=number,
            order=order,
            probed=probed,
            seed=seed,
            started=started,
            duration=duration,
            result=result,
            interrupted=interrupted and not workload.open_ended,
        )
        if probed:
            run = self._read(run, after - before)
        workload.finish()
        return run

    def _tally(self, probes: Attachments | None) -> counters.Tally:
        """Hits by the kernel's count, runs of programs by ours."""
        if probes is None:
            return counters.Tally()
        profile = probes.profile().values()
        return counters.Tally(
            hits=sum(event.hits for event in profile),
            missed=sum(event.missed for event in profile),
            ran=sum(sum(cpu.programs) for cpu in self._programs.per_cpu),
        )

    def _read(self, run: Run, tally: counters.Tally) -> Run:
        import msgspec

        return msgspec.structs.replace(
            run,
            series=counters.series(self._programs, self.plan),
            operations=counters.operations(self._programs, self.plan),
            locks=counters.locks(self._programs, self.plan),
            sites=counters.sites(self._programs, self.plan),
            ledger=counters.ledger(self._programs, tally),
        )

    def session(self, workload: Workload, label: str, command: list[str]) -> Session:
        """The session line; the probes must have been attached once."""
        assert self.coverage is not None  # noqa: S101 - callers attach first
        variant = self.plan.file.variant
        loaded = module.LoadedModule(self.plan.target.module)
        return Session(
            schema=1,
            tool=f"z3trace {tool_version()}",
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            target=self.plan.target.name,
            label=label,
            environment=environment.collect(),
            module=ModuleInfo(
                name=self.plan.target.module,
                origin="built" if variant else "packaged",
                build_id=loaded.build_id(),
                source_version=loaded.source_version(),
                variant=str(variant.get("variant", "")),
                digest=str(variant.get("digest", "")),
            ),
            workload=workload.description,
            command=command,
            bucket_scheme=buckets.SCHEME,
            lock_mode=self.lock_mode,
            probe_digest=probe_digest(),
            operations=self.coverage.operations,
            locks=self.plan.locks,
            sites=self.coverage.sites,
        )


def tool_version() -> str:
    from importlib import metadata

    return metadata.version("z3trace")
