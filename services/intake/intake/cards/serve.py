"""The process that reads cards: questions on standard input, answers on standard output, until input ends."""

from __future__ import annotations

import os
import signal
from typing import BinaryIO

from intake.cards import frames
from intake.cards.picture import PictureRefused, open_picture
from intake.cards.reading import read_card
from intake.cards.recognition import Recognizer


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer every question in turn. Ends when the asking side closes the pipe or goes away.

    Standard output is kept for answers alone: whatever a library prints goes to standard error.
    """
    # A terminal's Ctrl-C reaches the whole group; the asking side decides when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with os.fdopen(os.dup(answers.fileno()), "wb") as pipe:
        os.dup2(2, answers.fileno())
        recognizer = Recognizer(int(os.environ.get("OMP_NUM_THREADS", "1")))
        while (files := frames.read_question(questions)) is not None:
            pipe.write(frames.answer(_answer(recognizer, files)))
            pipe.flush()


def _answer(recognizer: Recognizer, files: list[bytes]) -> dict[str, object]:
    try:
        return read_card(recognizer, [open_picture(content) for content in files]).as_json()
    except PictureRefused as refusal:
        return {"refused": str(refusal)}
