"""Reads X12 files with linuxforhealth-x12 again and again; run in an environment of its own.

`read_linuxforhealth.py SECONDS FILE…` prints one JSON line: processor seconds for one reading of each file.
"""

import json
import sys
import time

from linuxforhealth.x12.io import X12ModelReader


def once(path: str) -> None:
    with X12ModelReader(path) as reader:
        assert len(list(reader.models())) == 1


def usual(path: str, budget: float) -> float:
    """Seconds for one of as many readings as the budget allows."""
    once(path)
    readings, began = 0, time.process_time()
    while time.process_time() - began < budget:
        once(path)
        readings += 1
    return (time.process_time() - began) / readings


print(json.dumps([usual(path, float(sys.argv[1])) for path in sys.argv[2:]]))
