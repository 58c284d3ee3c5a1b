"""``python -m intake.cards read FRONT [BACK]``: what a card says, as JSON, from any picture."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from PIL import Image

MOST_BYTES = 64 * 1024**2

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def cards() -> None:
    """Read insurance cards from their photographs."""


@app.command()
def read(
    front: Annotated[Path, typer.Argument(help="Picture of the card's front: JPEG, PNG, WebP or HEIC.")],
    back: Annotated[Path | None, typer.Argument(help="Picture of its back.")] = None,
) -> None:
    """Print payer, member number, group and holder with their confidences, null where unreadable.

    Exit code 0 if the pictures were looked at, even if nothing could be read; 2 and an ``error`` if a file is
    missing or is not a picture; 1 and an ``error`` if the reader itself fails.
    """
    pictures = [_open(path) for path in (front, back) if path is not None]
    try:
        from intake.cards.reading import read_card
        from intake.cards.recognition import Recognizer

        reading = read_card(Recognizer(), pictures)
    except Exception as failure:
        _end(1, f"the reader failed with {type(failure).__name__}; this is not the pictures' fault")
    print(json.dumps(reading.as_json(), ensure_ascii=False))  # noqa: T201


@app.command(hidden=True)
def serve() -> None:
    """Read cards from standard input to standard output until it closes; started by ``intake.cards.reader``."""
    from intake.cards.serve import serve as serve_forever

    serve_forever(sys.stdin.buffer, sys.stdout.buffer)


def _open(path: Path) -> Image.Image:
    from intake.cards.picture import PictureRefused, open_picture

    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        _end(2, f"{path.name}: {getattr(error, 'strerror', None) or 'cannot be read'}")
    if len(content) > MOST_BYTES:
        _end(2, f"{path.name}: the file has more than {MOST_BYTES // 1024**2} MB")
    try:
        return open_picture(content)
    except PictureRefused as refusal:
        _end(2, f"{path.name}: {refusal}")


def _end(code: int, error: str) -> NoReturn:
    print(error, file=sys.stderr)  # noqa: T201
    print(json.dumps({"error": error}, ensure_ascii=False))  # noqa: T201
    raise typer.Exit(code)


if __name__ == "__main__":
    app()
