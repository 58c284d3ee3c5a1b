"""Whether all that stands in an X12 file is told somewhere in what was read of it, and nothing twice."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from billing.x12.records import File, Raw

STRUCTURE = {"ISA", "GS", "ST", "SE", "GE", "IEA", "HL", "LS", "LE"}
"""What holds the rest together; where it does not, a problem says so."""

FORMS = {"", "D8", "RD8", "DT", "RDT"}
"""How a date is written."""


def texts(shown: Any) -> Iterator[str]:
    """Every text in what is shown."""
    if isinstance(shown, str):
        yield shown
    elif isinstance(shown, dict | list):
        for inner in shown.values() if isinstance(shown, dict) else shown:
            yield from texts(inner)


def places(shown: Any) -> Iterator[int]:
    """Every position in what is shown, as often as it is."""
    if isinstance(shown, dict):
        if shown.get("position"):
            yield shown["position"]
        shown = list(shown.values())
    if isinstance(shown, list):
        for inner in shown:
            yield from places(inner)


def untold(shown: Any, segments: list[str]) -> list[str]:
    """The segments of which neither the place nor each of the elements is shown."""
    at, said = set(places(shown)), FORMS | set(texts(shown))
    said |= {text.replace("-", "") for text in said}
    return [
        segment
        for position, segment in enumerate(segments, 1)
        if position not in at and not _told(segment, said, _separator(segments))
    ]


def _told(segment: str, said: set[str], element: str) -> bool:
    name, _, rest = segment.partition(element)
    return (
        name.strip().upper() in STRUCTURE or rest in said or {part.strip(" \t") for part in rest.split(element)} <= said
    )


def _separator(segments: list[str]) -> str:
    return segments[0][3:4] or "*"


def not_once(file: File, segments: list[str]) -> list[str]:
    """The EB and AAA that are not exactly one benefit or rejection, nor kept raw once where no 271 is at hand."""
    found = Counter([*_typed(file), *(raw.position for raw in _kept(file))])
    return [
        segment
        for position, segment in enumerate(segments, 1)
        if segment.split(_separator(segments))[0].strip().upper() in ("EB", "AAA") and found[position] != 1
    ]


def _typed(file: File) -> Iterator[int]:
    for interchange in file.interchanges:
        for transaction in interchange.transactions:
            for coverage in transaction.coverages:
                yield from (benefit.position for benefit in coverage.benefits)
                yield from (rejection.position for rejection in coverage.rejections)


def _kept(file: File) -> Iterator[Raw]:
    for interchange in file.interchanges:
        yield from interchange.other
        for transaction in interchange.transactions:
            yield from transaction.segments
            if transaction.kind != "271":
                yield from transaction.other
                for inquiry in transaction.inquiries:
                    yield from inquiry.other
            elif transaction.cut_off:
                yield from transaction.other[-1:]
