"""CPU seconds of what a user waits for most often: `hilnas --help` and `import hil`.

Run: make bench-cli
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

RUNS = 7
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import hil": [sys.executable, "-c", "import hil"],
    "import search": [sys.executable, "-c", "import search"],
    "hilnas --help": [str(Path(sys.executable).with_name("hilnas")), "--help"],
    "hilnas boards": [str(Path(sys.executable).with_name("hilnas")), "boards"],
}
TARGET_S = {"hilnas --help": 0.5}


def cpu_s(command: list[str]) -> float:
    """User and system time of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def main() -> None:
    table = Table(title=f"CPU seconds, median of {RUNS} (min to max)")
    for heading in ("command", "median", "min", "max", "to reach"):
        table.add_column(heading, justify="left" if heading == "command" else "right")
    for name, command in COMMANDS.items():
        cpu_s(command)
        runs = [cpu_s(command) for _ in range(RUNS)]
        target = f"<= {TARGET_S[name]}" if name in TARGET_S else ""
        table.add_row(name, f"{statistics.median(runs):.2f}", f"{min(runs):.2f}", f"{max(runs):.2f}", target)
    Console().print(table)


if __name__ == "__main__":
    main()
