"""``python -m intake.cards read FRONT [BACK]``: what a card says, as JSON, from any picture."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

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

    Exit code 2 and an ``error`` if a file is not a picture.
    """
    from intake.cards.picture import PictureRefused, open_picture

    pictures = []
    for path in (front, back):
        if path is None:
            continue
        try:
            pictures.append(open_picture(path.read_bytes()))
        except OSError as error:
            _refuse(path, error.strerror or "cannot be read")
        except PictureRefused as refusal:
            _refuse(path, str(refusal))
    from intake.cards.reading import read_card
    from intake.cards.recognition import Recognizer

    print(json.dumps(read_card(Recognizer(), pictures).as_json(), ensure_ascii=False))  # noqa: T201


@app.command(hidden=True)
def serve() -> None:
    """Read cards from standard input to standard output until it closes; started by ``intake.cards.reader``."""
    from intake.cards.serve import serve as serve_forever

    serve_forever(sys.stdin.buffer, sys.stdout.buffer)


def _refuse(path: Path, why: str) -> NoReturn:
    message = f"{path.name}: {why}"
    print(message, file=sys.stderr)  # noqa: T201
    print(json.dumps({"error": message}, ensure_ascii=False))  # noqa: T201
    raise typer.Exit(2)


if __name__ == "__main__":
    app()
