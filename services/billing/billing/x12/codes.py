"""The standard's code lists, read from `codes/*.csv` at import.

Each list is a mapping from the code, as sent, to its meaning. A code that is not in its list is no error of the
reader: callers use `.get` and show the meaning as null.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

Codes = Mapping[str, str]


def _rows(name: str, *columns: str) -> list[dict[str, str]]:
    lines = files("billing.x12").joinpath("codes", f"{name}.csv").read_text(encoding="utf-8").splitlines()
    comments = [line for line in lines if line.startswith("#")]
    if not any("Source:" in line for line in comments):
        raise ValueError(f"codes/{name}.csv names no source")
    reader = csv.DictReader((line for line in lines if not line.startswith("#")), strict=True)
    if tuple(reader.fieldnames or ()) != columns:
        raise ValueError(f"codes/{name}.csv must have the columns {', '.join(columns)}")
    rows = list(reader)
    keys = [tuple(row[column] for column in columns if column in ("element", "code")) for row in rows]
    if len(set(keys)) != len(keys):
        raise ValueError(f"codes/{name}.csv lists a code twice")
    return rows


def _meanings(name: str) -> Codes:
    return {row["code"]: row["meaning"] for row in _rows(name, "code", "meaning")}


def _column(rows: list[dict[str, str]], column: str, accepted: frozenset[str], name: str) -> Codes:
    for row in rows:
        if row[column] not in accepted:
            raise ValueError(f"codes/{name}.csv: {column} of {row['code']} is none of {sorted(accepted)}")
    return {row["code"]: row[column] for row in rows}


RETRIES = frozenset({"never", "later", "after_correction", "payer_will_answer"})
OWNERS = frozenset({"patient", "staff", "payer"})


@dataclass(frozen=True, slots=True)
class NextStep:
    """A follow-up action (AAA04): when the question may be asked again, and after how many days at the earliest."""

    meaning: str
    retry: str
    days: int | None


@dataclass(frozen=True, slots=True)
class Reason:
    """A reject reason (AAA03): who can put it right, and when to ask again if AAA04 does not say."""

    meaning: str
    owner: str
    retry: str


_kinds = _rows("benefit_kinds", "code", "meaning", "standing")
BENEFIT_KINDS: Codes = {row["code"]: row["meaning"] for row in _kinds}
STANDINGS: Codes = _column(_kinds, "standing", frozenset({"active", "inactive", "unable", ""}), "benefit_kinds")

_types = _rows("service_types", "code", "meaning", "scope", "asked")
SERVICE_TYPES: Codes = {row["code"]: row["meaning"] for row in _types}
SERVICE_SCOPES: Codes = _column(
    _types,
    "scope",
    frozenset({"plan", "medical", "behavioral", "pharmacy", "dental", "vision", "other"}),
    "service_types",
)

SERVICE_TYPES_ASKED = frozenset(
    code for code, asked in _column(_types, "asked", frozenset({"yes", ""}), "service_types").items() if asked
)

_dates = _rows("dates", "code", "meaning", "bound")
DATES: Codes = {row["code"]: row["meaning"] for row in _dates}
DATE_BOUNDS: Codes = _column(_dates, "bound", frozenset({"begin", "end", "period", ""}), "dates")

COVERAGE_LEVELS = _meanings("coverage_levels")
INSURANCE_TYPES = _meanings("insurance_types")
PERIODS = _meanings("periods")
QUANTITIES = _meanings("quantities")
ANSWERS = _meanings("answers")
DELIVERY_FREQUENCIES = _meanings("delivery_frequencies")
UNITS = _meanings("units")
REFERENCES = _meanings("references")
ENTITIES = _meanings("entities")
RELATIONSHIPS = _meanings("relationships")
PLACES_OF_SERVICE = _meanings("places_of_service")
PROBLEMS = _meanings("problems")

ACKNOWLEDGEMENTS: Mapping[tuple[str, str], str] = {
    (row["element"], row["code"]): row["meaning"] for row in _rows("acknowledgements", "element", "code", "meaning")
}


def _reasons() -> Mapping[str, Reason]:
    rows = _rows("rejection_reasons", "code", "meaning", "owner", "retry")
    _column(rows, "owner", OWNERS, "rejection_reasons")
    _column(rows, "retry", RETRIES, "rejection_reasons")
    return {row["code"]: Reason(row["meaning"], row["owner"], row["retry"]) for row in rows}


def _next_steps() -> Mapping[str, NextStep]:
    rows = _rows("rejection_next_steps", "code", "meaning", "retry", "days")
    _column(rows, "retry", RETRIES, "rejection_next_steps")
    return {
        row["code"]: NextStep(row["meaning"], row["retry"], int(row["days"]) if row["days"] else None) for row in rows
    }


REASONS = _reasons()
NEXT_STEPS = _next_steps()
