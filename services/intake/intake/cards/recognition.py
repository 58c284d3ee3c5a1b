"""From a picture to its lines of text, upright and level, whichever way up the picture was.

RapidOCR's detector and recogniser are run one by one, since knowing where the text is tells which way the card
lies: boxes taller than wide mean a quarter turn, and of the two ways up that are left the one that reads better
is right. So a card that lies upright costs no more than one pass.
"""

from __future__ import annotations

import logging
import math
import unicodedata
from collections.abc import Sequence
from statistics import median
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rapidocr import RapidOCR
from rapidocr.ch_ppocr_rec import TextRecInput

from intake.cards.model import Area, TextBox

Pixels = NDArray[np.uint8]
Quads = NDArray[np.float32]
"""Shape (n, 4, 2): x and y of each box's upper left, upper right, lower right and lower left corner."""
Line = tuple[str, tuple[float, ...]]

_DETECT_AT = 1120
_LEAST_CERTAIN = 0.5
_SURELY_UPRIGHT = 0.93
_ZOOM_BELOW = 0.4


class Recognizer:
    """RapidOCR's models, loaded once; up to 550 MB while it lives. Not for use from two threads at once."""

    def __init__(self, threads: int = 1) -> None:
        cv2.setNumThreads(threads)
        logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
        self._engine = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.use_cls": False,
                "Global.return_word_box": True,
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                "Det.limit_type": "max",
                "Det.limit_side_len": _DETECT_AT,
            }
        )
        # Its parts are run one by one, and it loads them only for a whole run.
        self._detector = self._engine._load_det_model()  # pyright: ignore[reportPrivateUsage]
        self._reader = self._engine._load_rec_model()  # pyright: ignore[reportPrivateUsage]

    def read(self, picture: Image.Image) -> tuple[TextBox, ...]:
        """All lines of text, from the top, in the coordinates of the card turned upright and level."""
        pixels: Pixels = np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])
        quads = self._detect(pixels)
        if not len(quads):
            return ()
        pixels, quads = self._closer(pixels, quads)
        if _lies_on_its_side(quads):
            pixels, quads = _turned(pixels, quads, 1)
        pixels, quads, lines = self._right_way_up(pixels, quads)
        rest = [place for place in range(len(quads)) if place not in lines]
        lines |= zip(rest, self._recognize(self._crops(pixels, quads[rest])), strict=True)
        return _boxes(quads, [lines[place] for place in range(len(quads))])

    def _detect(self, pixels: Pixels) -> Quads:
        found = self._detector(pixels)
        return (
            np.zeros((0, 4, 2), np.float32) if found.boxes is None else _in_order(np.asarray(found.boxes, np.float32))
        )

    def _closer(self, pixels: Pixels, quads: Quads) -> tuple[Pixels, Quads]:
        """Where the text takes up little of the picture, only that part, looked at again at full size."""
        height, width = pixels.shape[:2]
        left, top = quads.reshape(-1, 2).min(axis=0)
        right, bottom = quads.reshape(-1, 2).max(axis=0)
        small = (right - left) * (bottom - top) < _ZOOM_BELOW * width * height
        if not small or max(width, height) <= _DETECT_AT:
            return pixels, quads
        margin = 0.06 * max(right - left, bottom - top)
        x, y = int(max(0, left - margin)), int(max(0, top - margin))
        part = np.ascontiguousarray(pixels[y : int(bottom + margin) + 1, x : int(right + margin) + 1])
        again = self._detect(part)
        return (part, again) if len(again) >= len(quads) else (pixels, quads)

    def _right_way_up(self, pixels: Pixels, quads: Quads) -> tuple[Pixels, Quads, dict[int, Line]]:
        """As it is, or turned by half: read a few lines, and turned only if those read badly, the other way.

        The lines that were read for it come with it, by their box's place.
        """
        sample = _longest(quads)
        as_is = self._recognize(self._crops(pixels, quads[sample]))
        turned_pixels, turned_quads, turned = pixels, quads, as_is
        if _certainty(as_is) < _SURELY_UPRIGHT:
            turned_pixels, turned_quads = _turned(pixels, quads, 2)
            turned = self._recognize(self._crops(turned_pixels, turned_quads[sample]))
        if _certainty(turned) > _certainty(as_is):
            pixels, quads, as_is = turned_pixels, turned_quads, turned
        return pixels, quads, dict(zip(map(int, sample), as_is, strict=True))

    def _crops(self, pixels: Pixels, quads: Quads) -> list[Pixels]:
        return self._engine.crop_text_regions(pixels, quads)

    def _recognize(self, crops: Sequence[Pixels]) -> list[Line]:
        if not crops:
            return []
        result = self._reader(TextRecInput(img=list(crops), return_word_box=True))
        return [
            (text, tuple(cast("Any", words).confs)) if text else ("", ())
            for text, words in zip(result.txts or (), result.word_results, strict=True)
        ]


def _in_order(quads: Quads) -> Quads:
    """Each box's corners clockwise from the upper left of its upper edge, however steeply its text runs.

    The detector begins a steep box at any corner. Of a box's edges, the upper one points the most to the right.
    """
    ordered: list[NDArray[np.float32]] = []
    for corners in quads:
        from_middle = corners - corners.mean(axis=0)
        clockwise = corners[np.argsort(np.arctan2(from_middle[:, 1], from_middle[:, 0]))]
        rightwards = np.roll(clockwise, -1, axis=0)[:, 0] - clockwise[:, 0]
        ordered.append(np.roll(clockwise, -int(rightwards.argmax()), axis=0))
    return np.stack(ordered)


def _lies_on_its_side(quads: Quads) -> bool:
    """Whether most of the text, by length, runs up or down rather than across."""
    across, down = quads[:, 1] - quads[:, 0], quads[:, 3] - quads[:, 0]
    widths, heights = np.linalg.norm(across, axis=1), np.linalg.norm(down, axis=1)
    along = np.where((widths >= heights)[:, None], across, down)[
        np.maximum(widths, heights) > 1.5 * np.minimum(widths, heights)
    ]
    steep = np.abs(along[:, 1]) > np.abs(along[:, 0])
    lengths = np.linalg.norm(along, axis=1)
    return float(lengths[steep].sum()) > float(lengths[~steep].sum())


def _turned(pixels: Pixels, quads: Quads, quarters: int) -> tuple[Pixels, Quads]:
    """Picture and boxes turned by so many quarters counter-clockwise, each box's corners in order again."""
    for _ in range(quarters):
        width = pixels.shape[1]
        pixels = np.ascontiguousarray(np.rot90(pixels))
        x, y = quads[:, :, 0], quads[:, :, 1]
        quads = np.stack([y, width - 1 - x], axis=2)
    return pixels, _in_order(quads)


def _longest(quads: Quads, most: int = 5) -> NDArray[np.intp]:
    """The boxes with the longest lines of text for their height: what reads surest."""
    widths = np.linalg.norm(quads[:, 1] - quads[:, 0], axis=1)
    heights = np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1)
    ratio = np.minimum(widths / np.maximum(heights, 1), 12) * np.sqrt(np.maximum(heights, 1))
    return np.argsort(-ratio)[:most]


def _certainty(lines: Sequence[Line]) -> float:
    characters = [sure for _, certainty in lines for sure in certainty]
    return sum(characters) / len(characters) if characters else 0.0


def _boxes(quads: Quads, lines: Sequence[Line]) -> tuple[TextBox, ...]:
    level = _levelled(quads)
    boxes: list[TextBox] = []
    for corners, (text, certainty) in zip(level, lines, strict=True):
        if not text.strip() or sum(certainty) < _LEAST_CERTAIN * len(certainty):
            continue
        x, y = map(float, corners.mean(axis=0))
        width = float(np.linalg.norm(corners[1] - corners[0]))
        height = float(np.linalg.norm(corners[3] - corners[0]))
        area = Area(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        boxes.append(TextBox(_plain_characters(text), area, certainty))
    return tuple(sorted(boxes, key=lambda box: box.area.top))


def _levelled(quads: Quads) -> Quads:
    """The boxes turned back by the slope that most lines have."""
    along = quads[:, 1] - quads[:, 0]
    slopes = [math.atan2(y, x) for x, y in along if math.hypot(x, y) > 0]
    angle = median(slopes) if slopes else 0.0
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], np.float32)
    return quads @ turn


def _plain_characters(text: str) -> str:
    """Full-width signs as plain ones, character for character, so that certainties still match."""
    plain = (unicodedata.normalize("NFKC", character) for character in text)
    return "".join(new if len(new) == 1 else old for new, old in zip(plain, text, strict=True))
