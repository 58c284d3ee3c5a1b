"""How every benchmark ends: a table for people, one JSON line for programs, and the same line kept.

report("start", [Figure("warm start", 6.1, "s", bar="≤ 15", holds=True)], ratios={"bound": 0.9})
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measured number, its unit, and the bar it has to pass, if there is one."""

    name: str
    value: float
    unit: str = ""
    bar: str = ""
    holds: bool = True
    key: str = ""
    """Its name in the JSON; made from `name` and `unit` if empty: "warm start" in "s" is `warm_start_s`."""


def paired(ours: Sequence[float], peers: Sequence[float]) -> float:
    """The median of each round's ratio: what the machine itself does from one minute to the next is in both halves."""
    return statistics.median(our / peer for our, peer in zip(ours, peers, strict=True))


def report(name: str, figures: Sequence[Figure], ratios: Mapping[str, float] | None = None, title: str = "") -> bool:
    """Prints and keeps the outcome. Returns whether every figure passes its bar."""
    holds = all(figure.holds for figure in figures)
    table = Table(title=title or name, title_justify="left")
    table.add_column("what")
    for column in ("measured", "bar"):
        table.add_column(column, justify="right")
    table.add_column("")
    for figure in figures:
        verdict = ("holds" if figure.holds else "[red]does not hold") if figure.bar else ""
        table.add_row(figure.name, f"{_shown(figure.value)} {figure.unit}".rstrip(), figure.bar, verdict)
    Console().print(table)
    outcome = {
        "name": name,
        "figures": {_key(figure): round(figure.value, 4) for figure in figures},
        "ratios": {key: round(value, 4) for key, value in (ratios or {}).items()},
        "holds": holds,
    }
    line = json.dumps(outcome)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(line + "\n")
    print(line)
    return holds


def _key(figure: Figure) -> str:
    text = figure.key or f"{figure.name} {figure.unit}"
    text = text.replace("/s", " per s").replace("%", "percent")
    return "_".join("".join(letter if letter.isalnum() else " " for letter in text.lower()).split())


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
