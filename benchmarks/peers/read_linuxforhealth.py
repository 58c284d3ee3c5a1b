"""Reads X12 files with linuxforhealth-x12 again and again; run in an environment of its own.

`read_linuxforhealth.py SECONDS FILE…` prints one JSON line: processor seconds for one reading of each file, the fastest of many.
"""

import json
import sys
import time
from pathlib import Path

from linuxforhealth.x12.io import X12ModelReader


def once(path: str) -> float:
    began = time.process_time()
    with X12ModelReader(Path(path).read_text()) as reader:
        models = list(reader.models())
    elapsed = time.process_time() - began
    assert len(models) == 1
    return elapsed


def main() -> None:
    budget = float(sys.argv[1])
    print(json.dumps([_fastest(path, budget) for path in sys.argv[2:]]))


def _fastest(path: str, budget: float) -> float:
    once(path)
    best, until = float("inf"), time.perf_counter() + budget
    while time.perf_counter() < until:
        best = min(best, once(path))
    return best


main()
