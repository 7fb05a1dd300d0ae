"""Part of ``make fuzz``: every verb in every environment that users have."""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import environments
import samples


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        paths = [
            samples.write(directory / f"{label}.z3t", samples.recording(label, scale=scale))
            for label, scale in (("before", 1.0), ("after", 0.8))
        ]
        lines = environments.command_lines(directory, (paths[0], paths[1]))
        around = environments.surroundings(directory)
        began = time.monotonic()
        faults = list(environments.walk(lines, around, directory))
    for fault in faults:
        print(fault)  # noqa: T201
    took = time.monotonic() - began
    print(f"{len(lines) * len(around)} combinations, {len(faults)} faults, {took:.0f} s")  # noqa: T201
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
