"""What people mean by what they text back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from contracts.notify import ReplyMeaning
from notify.clinic import read_yaml

OWN_FILE: Final = Path(__file__).parents[1] / "reply_words.yaml"


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    alone: tuple[str, ...]
    anywhere: tuple[str, ...]


class ReplyWords(BaseModel):
    """The wordings that stop texts, and those that start them again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stop: _Words
    start: _Words

    def meaning(self, reply: str) -> ReplyMeaning:
        """Case, punctuation and spacing do not count; a stop wins over a start."""
        plain = _plain(reply)
        if _says(plain, self.stop):
            return ReplyMeaning.STOP
        return ReplyMeaning.START if _says(plain, self.start) else ReplyMeaning.OTHER


def load_reply_words(path: Path = OWN_FILE) -> ReplyWords:
    """Raises BadClinicFile."""
    return read_yaml(path, ReplyWords)


def _says(plain: str, words: _Words) -> bool:
    return plain in _all(words.alone) or any(f" {one}" in f" {plain}" for one in _all(words.anywhere))


def _all(wordings: Iterable[str]) -> set[str]:
    return {_plain(one) for one in wordings}


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", "", text.lower().replace("-", " ")).split())
