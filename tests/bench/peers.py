"""The peers: other tools on the same functions, started and stopped as their users do."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

TRACING = Path("/sys/kernel/tracing")
Stop = Callable[[], str]


def _started(arguments: Sequence[str], says: str, limit: float = 60) -> Stop:
    """Run a tool until it says that it is attached; what stops it returns its output."""
    with tempfile.NamedTemporaryFile("w", suffix=".out", delete=False) as file:
        output = Path(file.name)
        # A tool in Python would keep what it says to itself for long.
        env = {**os.environ, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(arguments, stdout=file, stderr=subprocess.STDOUT, env=env)
    until = time.monotonic() + limit
    while says not in output.read_text():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"{arguments[0]} does not start: {output.read_text()[-500:]}")
        time.sleep(0.1)

    def stop() -> str:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return output.read_text()

    return stop


def bpftrace(functions: Sequence[str]) -> Stop:
    """A latency histogram for each function, as bpftrace's own tools make them."""
    enter = ", ".join(f"kprobe:{name}" for name in functions)
    leave = ", ".join(f"kretprobe:{name}" for name in functions)
    script = (
        f"{enter} {{ @start[tid] = nsecs; }} "
        f"{leave} /@start[tid]/ {{ @ns[probe] = hist(nsecs - @start[tid]); delete(@start[tid]); }}"
    )
    stop = _started(["bpftrace", "-e", script], "Attaching")
    time.sleep(3)  # it says so before it has
    return stop


def funclatency(functions: Sequence[str]) -> Stop:
    """bcc's tool; it takes a regular expression."""
    pattern = f"^({'|'.join(functions)})$"
    return _started(["funclatency-bpfcc", "-u", "-r", pattern], "Tracing")


def function_graph(functions: Sequence[str]) -> Stop:
    """ftrace's function graph of the functions and all that they call."""
    (TRACING / "set_graph_function").write_text("\n".join(functions))
    (TRACING / "current_tracer").write_text("function_graph")

    def stop() -> str:
        (TRACING / "current_tracer").write_text("nop")
        (TRACING / "set_graph_function").write_text("")
        (TRACING / "trace").write_text("")
        return ""

    return stop


PEERS: dict[str, Callable[[Sequence[str]], Stop]] = {
    "bpftrace": bpftrace,
    "funclatency": funclatency,
    "function_graph": function_graph,
}
