"""`python -m deploy.local`: the commands behind the Makefile."""

import asyncio
import logging
import sys
import traceback
from typing import Annotated

import typer

from chassis.tokens import Role
from deploy.local import running
from deploy.local.doors import token
from deploy.local.kafka_training import prepare as prepare_kafka
from deploy.local.places import PlaceError
from deploy.local.process import StartError
from deploy.local.screen import Screen
from deploy.local.vault import Vault

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
screen = Screen()


@app.command()
def run(
    speed: Annotated[float, typer.Option(min=0.001, max=10_000, help="Clinic seconds in a second.")] = 1.0,
    patients: Annotated[float, typer.Option(min=0, max=600, help="Sandbox patients a minute; 0 for none.")] = 2.0,
) -> None:
    """Start the whole house and stay until Ctrl-C."""
    _exit(asyncio.run(running.run(screen, speed=speed, patients_per_minute=patients)))


@app.command()
def demo(seed: Annotated[int, typer.Option(help="Other seven people for another seed.")] = 1) -> None:
    """Take seven made-up people through a house of their own, and check everything that comes of them."""
    from deploy.local.demo import drive  # the sandbox's people are slow to load

    _exit(asyncio.run(drive.demo(screen, seed)))


@app.command()
def down(clean: Annotated[bool, typer.Option("--clean", help="Delete the data as well.")] = False) -> None:
    """Stop a house that runs."""
    _exit(asyncio.run(running.down(screen, clean=clean)))


@app.command()
def prepare() -> None:
    """Fetch Kafka and record a run of it, unless that has been done."""
    asyncio.run(prepare_kafka())


@app.command("token")
def print_token(
    role: Role,
    scope: Annotated[list[str] | None, typer.Option(help="What a program may do: eligibility:ask, for one.")] = None,
) -> None:
    """Print a bearer token for the house kept here."""
    typer.echo(token(Vault(running.run_folder() / "secrets.json").secret("tokens"), role, scope or ()))


def _exit(code: int) -> None:
    raise typer.Exit(code)


def main() -> None:
    # What the Kafka client has to say while its broker is away, the keeper says in one line.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        app()
    except (StartError, PlaceError) as problem:
        screen.fail(str(problem))
        sys.exit(1)
    except Exception as problem:
        # Nobody should have to read a stack trace to learn that the disk is full; it is kept for whoever wants it.
        log = running.run_folder() / "logs" / "supervisor.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(traceback.format_exc())
        screen.fail(f"That was not expected: {type(problem).__name__}: {problem}. More in {log}.")
        sys.exit(1)


if __name__ == "__main__":
    main()
