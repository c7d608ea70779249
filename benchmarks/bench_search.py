"""Search strategies side by side, and how fast the loop is.  Run: make bench-search

| part           | what is held against what                                                              |
|----------------|----------------------------------------------------------------------------------------|
| strategies     | every strategy here, Optuna and KerasTuner on a table of 1,668 really trained networks |
| hardware_first | the same search with tight limits, measured first, and trained first                   |
| overlap        | the same search in one process, and with worker processes                              |
| overhead       | ask and tell with 10,000 trials behind them; a store of 100,000 trials                 |

Writes build/bench-search.json and pictures; UPDATE=1 puts the pictures into docs/images.  One part alone:
python -m benchmarks.bench_search strategies
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from benchmarks import search_loop, search_overhead, search_strategies

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "build" / "bench-search.json"
IMAGES = ROOT / "docs" / "images"

PARTS = {
    "strategies": search_strategies.run,
    "hardware_first": search_loop.hardware_first,
    "overlap": search_loop.overlap,
    "overhead": search_overhead.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; all without")
    parser.add_argument("--seeds", type=int, default=10, help="of the strategies (10)")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="at once, for the strategies")
    parser.add_argument("--update", action="store_true", help="put the pictures into docs/images")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.parts) - set(PARTS))
    if unknown:
        parser.error(f"no part is called {', '.join(unknown)}; known: {', '.join(PARTS)}")
    RESULT.parent.mkdir(exist_ok=True)
    kept: dict[str, Any] = json.loads(RESULT.read_text()) if RESULT.is_file() else {}
    images = IMAGES if arguments.update else RESULT.parent
    for name in arguments.parts or PARTS:
        kept |= PARTS[name](seeds=arguments.seeds, processes=arguments.processes or 1, images=images)
        RESULT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    print(f"figures: {RESULT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
