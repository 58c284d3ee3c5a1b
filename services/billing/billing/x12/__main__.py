"""The command line: `python -m billing.x12 read FILE…`."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from billing.x12.as_json import Json, error_json, file_json
from billing.x12.interchange import read

_READ_HELP = """\
Print one JSON object for each file, one a line, in the order given. "-" reads standard input.

271s print coverages, 270s inquiries, 999s, 997s and TA1s acknowledgements; any other kind prints its segments. Codes
stand as sent, each beside its meaning, null where the code is in no list. Every fault is listed under "problems" with
the 1-based ordinal of its segment in the file.

Exit status: 0 if every file could be read as X12, however faulty; 2 if one could not, with {"error": …} in its place.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    failed = False
    for name in options.file:
        shown = _read(name, options.on, options.service_type)
        failed = failed or "error" in shown
        json.dump(shown, sys.stdout, indent=options.indent)
        sys.stdout.write("\n")
    return 2 if failed else 0


def _read(name: str, on: date | None, service_types: list[str]) -> Json:
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        return error_json("unreadable", f"The file cannot be read: {error.strerror}")
    file = read(raw)
    if not file.interchanges:
        return error_json("not_x12", "This is not X12: it holds no ISA, GS or ST segment")
    return file_json(file, on, service_types)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m billing.x12", description="Read X12 eligibility files (005010X279A1, 004010X092A1)."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    reading = commands.add_parser(
        "read",
        help="print what X12 files say, as JSON",
        description=_READ_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    reading.add_argument("file", nargs="+", metavar="FILE", help='an X12 file, or "-"')
    reading.add_argument(
        "--on",
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="the day that each coverage's status is about (default: the day of the answer)",
    )
    reading.add_argument(
        "--service-type",
        action="append",
        default=[],
        metavar="CODE",
        help="a service type that the status is about, such as MH; may be repeated (default: the plan)",
    )
    reading.add_argument("--indent", type=int, metavar="N", help="indent the JSON by N spaces")
    return parser


def _until_nobody_reads() -> int:
    """`… | head` closes the pipe early, which is no failure."""
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the last flush has somewhere to go
        return 0
    return code


if __name__ == "__main__":
    sys.exit(_until_nobody_reads())
