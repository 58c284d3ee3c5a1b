"""`python -m chassis parked …`: a service's parked records, through its own HTTP interface."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
parked = typer.Typer(no_args_is_help=True, help="Records that a service could not apply.")
app.add_typer(parked, name="parked")

Url = Annotated[str, typer.Option(envvar="STILLWATER_URL", help="The service's address: http://127.0.0.1:8803")]
Token = Annotated[str, typer.Option(envvar="STILLWATER_TOKEN", help="A bearer token; better in the environment.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, one object a line.")]
Id = Annotated[int, typer.Argument(min=1, help="The record's number in the list.")]

_COLUMNS = ("id", "consumer", "key", "behind", "reason", "cause", "tries", "parked_at", "due_at")
_DECISION_COLUMNS = ("at", "actor", "role", "decision", "parked_id", "key", "why")


@app.callback()
def _commands() -> None:
    """What every service has, from the command line."""


@parked.command("list")
def listed(
    url: Url,
    token: Token,
    key: Annotated[str | None, typer.Option(help="All of one key, instead of the first of each.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what waits: the first record of each key, and how many wait behind it."""
    _print(_pages(url, token, "/parked", "parked", "after", {"key": key} if key else {}), _COLUMNS, as_json)


@parked.command()
def decisions(url: Url, token: Token, as_json: AsJson = False) -> None:
    """List who replayed or discarded what, and when; newest first."""
    _print(_pages(url, token, "/parked/decisions", "decisions", "before", {}), _DECISION_COLUMNS, as_json)


@parked.command()
def show(id: Id, url: Url, token: Token) -> None:
    """Print one record with its content. Needs an auditor's token, and is recorded."""
    typer.echo(json.dumps(_ask("GET", url, token, f"/parked/{id}"), indent=2))


@parked.command()
def replay(id: Id, url: Url, token: Token) -> None:
    """Have a record tried now, and those of its key behind it in order."""
    _ask("POST", url, token, f"/parked/{id}/replay")
    typer.echo(f"Record {id} is being tried.")


@parked.command()
def discard(id: Id, url: Url, token: Token, why: Annotated[str, typer.Option(help="For whoever asks later.")]) -> None:
    """Give a record up for good. It is kept, sealed; the next of its key is tried."""
    _ask("POST", url, token, f"/parked/{id}/discard", {"why": why})
    typer.echo(f"Record {id} is discarded.")


def _pages(url: str, token: str, path: str, name: str, cursor: str, query: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = _ask("GET", url, token, path, query=query)
        found += page[name]
        if page[cursor] is None:
            return found
        query = query | {cursor: page[cursor]}


def _ask(method: str, url: str, token: str, path: str, body: object = None, query: dict[str, Any] | None = None) -> Any:
    try:
        answer = httpx.request(
            method,
            url.rstrip("/") + path,
            headers={"Authorization": f"Bearer {token}"},
            json=body,
            params=query,
            timeout=10,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _failure(f"No answer from {url}: {type(error).__name__}.") from None
    if answer.is_success:
        return answer.json() if answer.content else None
    raise _failure(_problem(answer))


def _problem(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        faults = "".join(f"\n  {one['field']}: {one['message']}" for one in problem.get("errors", []))
        return f"{problem['title']}. {problem.get('detail', '')}{faults}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"The service answered {answer.status_code}."


def _failure(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(1)


def _print(rows: list[dict[str, Any]], columns: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row))
    elif not rows:
        typer.echo("Nothing.")
    else:
        table = Table(*columns)
        for row in rows:
            table.add_row(*("" if row[name] is None else str(row[name]) for name in columns))
        # A pipe has no width of its own, and a cut identifier is of no use.
        Console(width=None if sys.stdout.isatty() else 240).print(table)


if __name__ == "__main__":
    app()
