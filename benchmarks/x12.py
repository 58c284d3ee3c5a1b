"""How many eligibility answers a second one core reads, from small to large, beside linuxforhealth-x12 0.57.

The same files, from the disk into typed values, in turns, by processor time; for each reader and file the best of
three rounds of two seconds, since whatever else the machine does can only slow one down. The peer wants pydantic 1
and has an environment of its own, made on first use from `peers/linuxforhealth-x12.txt`.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import Figure, report
from billing.x12 import read
from deploy.local.places import cache

SIZES = {"small": 28, "middling": 150, "large": 2_000}
"""Segments, from ISA to IEA."""

ROUNDS = 3
SECONDS = 2.0
PEER_RATIO = 20.0
FLAT = 1.25
"""Time for a segment, at most so many times between two sizes."""

_PEERS = Path(__file__).parent / "peers"

_HEAD = """
ISA*00*          *00*          *ZZ*SUNRISEPAYER   *ZZ*STILLWATER     *261120*0815*^*00501*000000042*0*P*:
GS*HB*SUNRISEPAYER*STILLWATER*20261120*0815*42*X*005010X279A1
ST*271*0001*005010X279A1
BHT*0022*11*ASK-1*20261120*0815
HL*1**20*1
NM1*PR*2*SUNRISE HEALTH*****PI*00777
HL*2*1*21*1
NM1*1P*2*STILLWATER CLINIC*****XX*1234567893
HL*3*2*22*0
TRN*2*T-1001*9876543210
NM1*IL*1*OKAFOR*ADA****MI*SUN123456
N3*12 QUAY ST
N4*PORTLAND*OR*97201
DMG*D8*19850214*F
DTP*346*D8*20260101
"""
_BENEFITS = """
EB*1**30**GOLD PPO
EB*C*IND*30***23*1500
EB*C*IND*30***29*250.5
DTP*292*RD8*20260101-20261231
EB*A*IND*98*****.2****Y
EB*B*IND*98***27*30
MSG*COPAY IS WAIVED FOR TELEHEALTH
EB*G*FAM*30***23*6000
EB*1**1^33^35^47^48^50^86^88^AL^MH^UC
EB*B*IND*UC***27*75
"""


def answer(segments: int) -> bytes:
    """A 271 of exactly so many segments."""
    head, benefits = _HEAD.strip().splitlines(), _BENEFITS.strip().splitlines()
    body = [benefits[number % len(benefits)] for number in range(segments - len(head) - 3)]
    tail = [f"SE*{len(head) - 2 + len(body) + 1}*0001", "GE*1*42", "IEA*1*000000042"]
    return "".join(segment + "~" for segment in [*head, *body, *tail]).encode()


def ours(paths: list[Path]) -> list[float]:
    """Seconds for one reading of each file."""
    return [_usual(path) for path in paths]


def _usual(path: Path) -> float:
    """Of as many readings as the time allows: the collector's pauses belong to both."""
    readings, began = 0, time.process_time()
    while time.process_time() - began < SECONDS:
        with path.open("rb", buffering=0) as opened:
            file = read(opened.read())
        assert not file.problems and len(file.interchanges) == 1
        readings += 1
    return (time.process_time() - began) / readings


def peers(python: Path, paths: list[Path]) -> list[float]:
    command = [python, _PEERS / "read_linuxforhealth.py", str(SECONDS), *paths]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def peers_python() -> Path:
    """The interpreter of the peer's environment."""
    folder, wanted = cache() / "linuxforhealth", _PEERS / "linuxforhealth-x12.txt"
    made = folder / "made-from.txt"
    python = folder / "bin" / "python"
    if not made.exists() or made.read_text() != wanted.read_text():
        print("Making an environment for linuxforhealth-x12 …")
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True)
        environment = {**os.environ, "VIRTUAL_ENV": str(folder)}
        subprocess.run([uv, "pip", "install", "--quiet", "--require-hashes", "-r", wanted], check=True, env=environment)
        made.write_text(wanted.read_text())
    return python


def main() -> None:
    python = peers_python()
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{size}.271" for size in SIZES]
        for path, segments in zip(paths, SIZES.values(), strict=True):
            path.write_bytes(answer(segments))
        rounds = [(ours(paths), peers(python, paths)) for _ in range(ROUNDS)]
    best = [min(one) for one in zip(*(mine for mine, _ in rounds), strict=True)]
    best_peer = [min(one) for one in zip(*(theirs for _, theirs in rounds), strict=True)]
    ahead = sum(best_peer) / sum(best)
    ratios = [theirs / mine for mine, theirs in zip(best, best_peer, strict=True)]
    per_segment = [mine / segments for mine, segments in zip(best, SIZES.values(), strict=True)]
    # The envelope weighs on the small one; what must not grow is the cost of one segment more.
    growth = per_segment[2] / min(per_segment[:2])
    figures = [
        *(Figure(f"{size}, {n} segments", 1 / mine, "/s") for (size, n), mine in zip(SIZES.items(), best, strict=True)),
        *(
            Figure(f"linuxforhealth, {size}", 1 / theirs, "/s")
            for size, theirs in zip(SIZES, best_peer, strict=True)
        ),
        *(Figure(f"a segment, {size}", 1e6 * one, "µs") for size, one in zip(SIZES, per_segment, strict=True)),
        Figure("a segment, large to smaller", growth, "×", f"≤ {FLAT}", growth <= FLAT, key="growth"),
        *(Figure(f"ahead of linuxforhealth, {size}", ratio, "×") for size, ratio in zip(SIZES, ratios, strict=True)),
        Figure("ahead of linuxforhealth, all three", ahead, "×", f"≥ {PEER_RATIO:.0f}", ahead >= PEER_RATIO),
    ]  # fmt: skip
    named = {f"linuxforhealth_{size}": ratio for size, ratio in zip(SIZES, ratios, strict=True)}
    holds = report("x12", figures, {"linuxforhealth": ahead, **named}, "271s read in a second, one core")
    sys.exit(not holds)


if __name__ == "__main__":
    main()
