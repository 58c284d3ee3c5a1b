"""How often is the member number read right from photographed cards, in layouts unknown to the reader's authors?

Every held-out layout, photographed in four orientations: turned a little, tilted, unevenly lit, noisy. A number is
right if it is what is printed, spaces aside. It counts as readable if the raw recognised text holds its characters,
whatever they were taken for. One card is also read as the service does it, in a process of its own, whose time and
memory are shown. `--seeds 3` draws three different cards of each layout; `--shelf building` measures the layouts
that the reader was written with.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import psutil
from PIL import Image
from rapidfuzz import fuzz

from benchmarks.report import Figure, report
from intake.cards.extract import extract
from intake.cards.model import CardReading, TextBox
from intake.cards.picture import open_picture
from intake.cards.reader import CardReader
from intake.cards.recognition import Recognizer
from sandbox.cards import CardFields, QuarterTurn, Shelf, draw_card, encode, layout_names, photograph, sample_fields

TURNS: tuple[QuarterTurn, ...] = (0, 90, 180, 270)
RIGHT_BAR = 0.80
SURE = 0.9
SURELY_WRONG_BAR = 1.0
SURELY_WRONG_OF = 24
SAME_PAYER = 80.0
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Attempt:
    """One card in one orientation: what was printed, what was read, and the seconds of processor that it took."""

    layout: str
    printed: CardFields
    reading: CardReading
    readable: bool
    seconds: float

    @property
    def right(self) -> bool:
        return _bare(self.reading.member_id) == _bare(self.printed.member_id)

    @property
    def surely_wrong(self) -> bool:
        return not self.right and self.reading.confidence("member_id") >= SURE


def attempts(shelf: Shelf, seeds: int) -> Iterable[Attempt]:
    """Every layout on a shelf, with that many cards of each, in four orientations."""
    recognizer = Recognizer()
    for layout in layout_names(shelf):
        for seed in range(1, seeds + 1):
            printed = sample_fields(layout, seed)
            sides = draw_card(printed, layout, seed)
            for turn in TURNS:
                photos = [_photo(side, seed * 31 + turn + n, turn) for n, side in enumerate(sides)]
                began = time.process_time()
                boxes = [recognizer.read(open_picture(photo)) for photo in photos]
                reading = extract(boxes)
                yield Attempt(layout, printed, reading, holds(boxes, printed.member_id), time.process_time() - began)


def holds(sides: Sequence[Sequence[TextBox]], number: str) -> bool:
    """Whether the recognised text has the number, each block of letters or of digits at least by itself."""
    texts = [_bare(box.text) for boxes in sides for box in boxes]
    head = number[: len(number) - len(number.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))]
    apart = [_bare(block) for block in number.split()]
    ways = ([_bare(number)], apart, [block for block in (head, _bare(number.removeprefix(head))) if block])
    return any(all(any(block in text for text in texts) for block in way) for way in ways)


async def one_as_the_service_does(shelf: Shelf) -> tuple[float, float, float]:
    """Seconds for the first card and for the next, and the peak of the reading process's resident memory in MB."""
    layout = layout_names(shelf)[0]
    sides = draw_card(sample_fields(layout, 1), layout, 1)
    front, back = (_photo(side, 1, 0) for side in sides)
    reader = CardReader(idle_seconds=1)
    try:
        seconds: list[float] = []
        for _ in range(2):
            began = time.monotonic()
            await reader.read(front, back)
            seconds.append(time.monotonic() - began)
        assert reader.pid is not None
        peak = _peak_megabytes(reader.pid)
    finally:
        await reader.close()
    return seconds[0], seconds[1], peak


def _photo(side: Image.Image, seed: int, turn: QuarterTurn) -> bytes:
    return encode(photograph(side, seed, turn=turn), "JPEG")


def _bare(text: str | None) -> str:
    """A number as it is compared: without spaces. Hyphens, letters' case and look-alikes all count."""
    return "".join((text or "").split())


def _peak_megabytes(pid: int) -> float:
    """The kernel's high-water mark where it keeps one, otherwise what the process holds now."""
    memory = psutil.Process(pid).memory_info()
    try:
        with open(f"/proc/{pid}/status") as status:  # noqa: PTH123 - not a file on a disk
            return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024
    except OSError:
        return memory.rss / _MEGABYTE


def _same_payer(attempt: Attempt) -> bool:
    read = attempt.reading.payer or ""
    return fuzz.token_set_ratio(read.casefold(), attempt.printed.payer.casefold()) >= SAME_PAYER


def _same_group(attempt: Attempt) -> bool:
    return _bare(attempt.reading.group) == _bare(attempt.printed.group)


def _share(of: Sequence[bool]) -> float:
    return sum(of) / len(of) if of else 0.0


def main() -> None:
    options = argparse.ArgumentParser(prog="benchmarks cards")
    options.add_argument("--seeds", type=int, default=1)
    options.add_argument("--shelf", choices=("held_out", "building"), default="held_out")
    chosen = options.parse_args()
    shelf = cast("Shelf", chosen.shelf)
    tried: list[Attempt] = []
    for attempt in attempts(shelf, chosen.seeds):
        tried.append(attempt)
        print(f"\r{len(tried)} read, {sum(a.right for a in tried)} right", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    first, warm, peak = asyncio.run(one_as_the_service_does(shelf))

    readable = [attempt for attempt in tried if attempt.readable]
    right = _share([attempt.right for attempt in readable])
    surely_wrong = SURELY_WRONG_OF * _share([attempt.surely_wrong for attempt in tried])
    grouped = [attempt for attempt in tried if attempt.printed.group]
    by_layout = {
        layout: [attempt.right for attempt in tried if attempt.layout == layout] for layout in layout_names(shelf)
    }
    passed = report(
        "cards" if shelf == "held_out" else f"cards-{shelf}",
        [
            Figure("cards photographed", len(tried)),
            Figure("readable at all", 100 * len(readable) / len(tried), "%"),
            Figure("number right of the readable", 100 * right, "%", f"≥ {RIGHT_BAR:.0%}", right >= RIGHT_BAR),
            Figure("number right of all", 100 * _share([attempt.right for attempt in tried]), "%"),
            Figure(
                f"wrong with confidence ≥ {SURE}, of {SURELY_WRONG_OF}",
                surely_wrong,
                bar=f"≤ {SURELY_WRONG_BAR:g}",
                holds=surely_wrong <= SURELY_WRONG_BAR,
                key="surely_wrong_of_24",
            ),
            Figure(
                "right with confidence ≥ 0.9",
                100 * _share([a.right and a.reading.confidence("member_id") >= SURE for a in tried]),
                "%",
                key="surely_right_percent",
            ),
            Figure("payer right", 100 * _share([_same_payer(attempt) for attempt in tried]), "%"),
            Figure("group right", 100 * _share([_same_group(attempt) for attempt in grouped]), "%"),
            Figure(
                "holder right",
                100 * _share([_bare(a.reading.holder).upper() == _bare(a.printed.holder).upper() for a in tried]),
                "%",
            ),
            Figure(
                "processor time for both sides, median", statistics.median(attempt.seconds for attempt in tried), "s"
            ),
            Figure("process started, first card", first, "s"),
            Figure("process running, next card", warm, "s"),
            Figure("process, peak memory", peak, "MB"),
            *(Figure(layout, 100 * _share(of), "%") for layout, of in by_layout.items()),
        ],
        title=f"{len(by_layout)} layouts, {chosen.seeds} card(s) of each, four orientations",
    )
    sys.exit(not passed)


if __name__ == "__main__":
    main()
