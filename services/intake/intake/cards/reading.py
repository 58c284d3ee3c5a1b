"""One card from pictures to fields."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from intake.cards.extract import extract
from intake.cards.model import CardReading
from intake.cards.recognition import Recognizer


def read_card(recognizer: Recognizer, pictures: Sequence[Image.Image]) -> CardReading:
    """What a card says, from pictures of its front and perhaps its back."""
    return extract([recognizer.read(picture) for picture in pictures])
