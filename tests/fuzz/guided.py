"""Coverage-guided fuzzing of the reader by atheris: ``guided.py SECONDS``."""

import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))

with atheris.instrument_imports(include=["z3trace"]):
    from samples import recording, write

    from z3trace.analysis.figures.recording import Digest
    from z3trace.analysis.report import recording as shown
    from z3trace.errors import Z3traceError

_PATH = Path(tempfile.mkdtemp()) / "x.z3t"


def one_input(data: bytes) -> None:
    _PATH.write_bytes(data)
    try:
        shown.text(Digest.read(_PATH), sites=True)
    except Z3traceError:
        return


def main() -> None:
    corpus = Path(tempfile.mkdtemp())
    for number in range(3):
        write(corpus / str(number), recording("seed", runs=1, seed=number))
    options = ["-max_len=65536", "-timeout=5", "-rss_limit_mb=1500", "-print_final_stats=1"]
    seconds = sys.argv[1] if len(sys.argv) > 1 else "60"
    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", *options, str(corpus)], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
