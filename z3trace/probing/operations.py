"""Operations of a target: their entry and exit, by trampolines or by kprobes."""

from z3trace.bpf import layout, libbpf
from z3trace.bpf.attachments import Attachments
from z3trace.bpf.btf import KernelTypes
from z3trace.bpf.kprobes import refusal
from z3trace.bpf.programs import Programs
from z3trace.data import limits
from z3trace.data.model import Operation
from z3trace.probing.choice import Choice
from z3trace.probing.locks import Address
from z3trace.probing.trampolines import all_or_none
from z3trace.target.plan import OperationPlan, Plan

#: What ends something before what begins it: a beginning never lacks its end.
_EXITS_FIRST = (("operation_fexit", libbpf.FEXIT), ("operation_fentry", libbpf.FENTRY))


def _patches(op: OperationPlan) -> dict[int, int]:
    return {
        layout.PATCH_OPERATION: op.number,
        layout.PATCH_RESULT_RULE: op.result_rule,
        layout.PATCH_ARGUMENT: op.pool,
    }


def _suits(types: KernelTypes, op: OperationPlan) -> bool:
    """Whether a trampoline can hand over what the programs read of an operation; of
    several functions of a name, BTF knows one."""
    if op.more:
        return False
    count = types.arguments(op.symbol)
    return count is not None and (op.pool == layout.NO_ARGUMENT or op.pool < count)


def _load_trampolines(programs: Programs, plan: Plan, choice: Choice) -> list[tuple[int, int]]:
    """(descriptor, attach type) of programs for every operation's exit and entry, exits
    first; none if trampolines are not chosen or the kernel has none for one of them."""
    if not (choice.trampolines and choice.operations):
        return []
    try:
        types = KernelTypes("" if plan.builtin else plan.target.module)
    except OSError:
        return []
    kinds: list[int] = []
    try:
        with all_or_none() as descriptors:
            if all(_suits(types, op) for op in plan.operations):
                for name, kind in _EXITS_FIRST:
                    for op in plan.operations:
                        where = (types.function(op.symbol) or 0, types.fd)
                        fd = programs.load(name, _patches(op), attach=kind, where=where)
                        descriptors.append(fd)
                        kinds.append(kind)
    except OSError:
        # Some functions take no trampoline, such as those that may not be traced.
        return []
    finally:
        types.close()
    return list(zip(descriptors, kinds, strict=True))


def _probe_operation(
    probes: Attachments, programs: Programs, op: OperationPlan, address: Address, choice: Choice
) -> str:
    """Attach to an operation by kprobes; why it cannot be done, if so."""
    events = [f"{op.number}_{n}" if n else f"{op.number}" for n in range(len(op.starts))]
    try:
        for event, start in zip(events, op.starts, strict=True):
            if choice.operations:
                probes.define(f"return_{event}", hex(address(*start)), on_return=True)
            probes.define(f"entry_{event}", hex(address(*start)))
    except OSError as error:
        return refusal(error)
    # The returns first, as in _EXITS_FIRST.
    returned = programs.load("operation_return", _patches(op))
    entered = programs.load(
        "operation_entry" if choice.operations else "operation_pool", _patches(op)
    )
    for event in events:
        probes.enable(f"return_{event}", returned)
    for event in events:
        probes.enable(f"entry_{event}", entered)
    return ""


def left_out(plan: Plan) -> list[Operation]:
    """Every operation of a run that sees none of them."""
    reason = "operations are not recorded"
    planned = [(op.name, op.function, op.symbols, reason) for op in plan.operations]
    missing = [(name, "", "", why) for name, why in plan.missing.items()]
    return [
        Operation(name=name, function=function, symbol=symbol[: limits.NAME], reason=why)
        for name, function, symbol, why in (*planned, *missing)
    ]


def attach(
    attachments: Attachments, programs: Programs, plan: Plan, address: Address, choice: Choice
) -> tuple[list[Operation], list[int]]:
    """Probe every operation: what came of each, and the descriptors of the trampolines
    (none: all are probed by kprobes)."""
    with all_or_none() as trampolines:
        loaded = _load_trampolines(programs, plan, choice)
        trampolines += [fd for fd, _ in loaded]
        for fd, kind in loaded:
            attachments.trace(fd, kind)
    operations = []
    for op in plan.operations:
        reason = ""
        if not trampolines:
            reason = _probe_operation(attachments, programs, op, address, choice)
        operations.append(
            Operation(
                name=op.name,
                function=op.function,
                symbol=op.symbols[: limits.NAME],
                attached=not reason,
                reason=reason,
                method="" if reason else "trampoline" if trampolines else "kprobe",
            )
        )
    operations += [
        Operation(name=name, function="", reason=reason) for name, reason in plan.missing.items()
    ]
    return operations, trampolines
