"""How long a warm start of the whole house takes, and how much memory everything takes together.

Starts `python -m deploy.local run` as a user does, on a data folder of its own, once to create the data and then
warm. Time runs from the command to the line that says what to open. Memory is the proportional set size of the
command and all its descendants, once patients have stopped arriving and the card reader is at rest.
"""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

from benchmarks.report import Figure, report
from deploy.local.memory import pss_by_process
from deploy.local.places import PROJECT, cache

WARM_STARTS = 3
SETTLE_SECONDS = 20.0
START_LIMIT_S = 15.0
MEMORY_LIMIT_MB = 1_600
_GIVE_UP_SECONDS = 120.0
_MEGABYTE = 1024 * 1024


class House:
    """The command, run in a folder of its own."""

    def __init__(self, home: Path) -> None:
        self._home = home
        began = time.monotonic()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("STILLWATER_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", "run", "--patients", "0"],
            cwd=PROJECT,
            env=environment | {"STILLWATER_HOME": str(home)},
            stdout=(home / "screen.log").open("wb"),
            stderr=subprocess.STDOUT,
        )
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() - began > _GIVE_UP_SECONDS:
                self.stop()
                sys.exit(f"The house did not start:\n{(home / 'screen.log').read_text()}")
            time.sleep(0.02)
        self.seconds = time.monotonic() - began

    def _ready(self) -> bool:
        try:
            return json.loads((self._home / "run" / "house.json").read_text())["ready"]
        except (OSError, ValueError, KeyError):
            return False

    def memory(self) -> dict[str, int]:
        return pss_by_process(self._process.pid)

    def stop(self) -> float:
        """Seconds until the command and all that it started were gone."""
        began = time.monotonic()
        left = psutil.Process(self._process.pid).children(recursive=True) if self._process.poll() is None else []
        self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=60)
        psutil.wait_procs(left, timeout=10)
        return time.monotonic() - began


def main() -> None:
    cache().parent.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="bench-start-", dir=cache().parent))
    home.chmod(0o711)
    (home / "cache").symlink_to(cache())
    try:
        first = House(home)
        first.stop()
        starts: list[float] = []
        stops: list[float] = []
        sizes: dict[str, int] = {}
        for attempt in range(WARM_STARTS):
            house = House(home)
            starts.append(house.seconds)
            if attempt == WARM_STARTS - 1:
                time.sleep(SETTLE_SECONDS)
                sizes = house.memory()
            stops.append(house.stop())
    finally:
        shutil.rmtree(home, ignore_errors=True)
    worst, total = max(starts), sum(sizes.values()) / _MEGABYTE
    by_name: Counter[str] = Counter()
    for name, size in sizes.items():
        by_name[name.rsplit(" ", 1)[0]] += size
    holds = report(
        "start",
        [
            Figure("first start", first.seconds, "s"),
            Figure("warm start, median", statistics.median(starts), "s"),
            Figure("warm start, slowest", worst, "s", f"≤ {START_LIMIT_S:.0f} s", worst <= START_LIMIT_S),
            Figure("stop, slowest", max(stops), "s"),
            Figure("memory", total, "MB", f"≤ {MEMORY_LIMIT_MB:,} MB", total <= MEMORY_LIMIT_MB),
            *(Figure(f"of it {name}", size / _MEGABYTE, "MB") for name, size in by_name.most_common()),
        ],
        title=f"{WARM_STARTS} warm starts; memory {SETTLE_SECONDS:.0f} s after the last",
    )
    sys.exit(not holds)


if __name__ == "__main__":
    main()
