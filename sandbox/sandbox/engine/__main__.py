"""`python -m sandbox.engine`: an engine that answers the clinic's questions until it is stopped."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from sandbox.engine.client import Engine, Manner


def main(
    clinic: Annotated[str, typer.Option(help="Billing's address: http://127.0.0.1:8803")],
    gateway: Annotated[str, typer.Option(help="The payers': http://127.0.0.1:8810/payer/real-time")],
    token: Annotated[str, typer.Option(envvar="STILLWATER_TOKEN", help="A token with the scope engine:answer.")],
    manner: Annotated[Manner, typer.Option(help="How it behaves.")] = Manner.WELL,
) -> None:
    """Take questions, ask the payers' gateway, post what it answered."""
    asyncio.run(Engine(clinic, token, gateway, manner).keep())


if __name__ == "__main__":
    typer.run(main)
