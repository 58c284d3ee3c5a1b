"""The JSON Schema of every event as released: `contracts/schemas/<type>.json`, written once and then only added to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from contracts.event import Event
from contracts.registry import EVENT_TYPES

FOLDER = Path(__file__).parents[1] / "schemas"

Schema = dict[str, Any]


def schema_of(event: type[Event]) -> Schema:
    """What is published of an event type: the body of its records, as JSON Schema 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:stillwater:{event.type}",
        **event.model_json_schema(mode="serialization"),
    }


def released() -> dict[str, Schema]:
    """Every schema released so far, by event type."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))}


def breaks(before: Schema, after: Schema) -> list[str]:
    """Why a reader of `before` could not read what is written by `after`, or the other way round; empty when both can.

    A type may gain optional fields. It may not lose or retype a field, nor require what was optional or unknown.
    """
    return _breaks(before, after, before, after, "")


def _breaks(before: Schema, after: Schema, old_root: Schema, new_root: Schema, path: str) -> list[str]:
    before, after = _resolved(before, old_root), _resolved(after, new_root)
    required = sorted(set(after.get("required", ())) - set(before.get("required", ())))
    found = [f"{path}{name} is required now" for name in required]
    for name, was in before.get("properties", {}).items():
        now = after.get("properties", {}).get(name)
        if now is None:
            found.append(f"{path}{name} is gone")
        else:
            found += _breaks(was, now, old_root, new_root, f"{path}{name}.")
    for word in ("type", "format", "const", "x-phi"):
        if before.get(word) != after.get(word):
            found.append(f"{path or '.'}{word} was {before.get(word)!r}, is {after.get(word)!r}")
    if lost := set(map(str, before.get("enum", ()))) - set(map(str, after.get("enum", ()))):
        found.append(f"{path or '.'}enum lost {sorted(lost)}")
    if "items" in before and "items" in after:
        found += _breaks(before["items"], after["items"], old_root, new_root, f"{path}[].")
    for was, now in zip(before.get("anyOf", ()), after.get("anyOf", ()), strict=False):
        found += _breaks(was, now, old_root, new_root, path)
    if len(before.get("anyOf", ())) != len(after.get("anyOf", ())):
        found.append(f"{path or '.'}anyOf has another number of choices")
    return found


def _resolved(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    return schema if reference is None else root["$defs"][reference.rpartition("/")[2]]


def release() -> list[str]:
    """Write the schema of each type that is new or has gained fields. Raises ValueError on a breaking change."""
    before, written = released(), list[str]()
    for name, event in EVENT_TYPES.items():
        schema = schema_of(event)
        if name in before and (faults := breaks(before[name], schema)):
            raise ValueError(f"{name} would break its readers: {'; '.join(faults)}. Publish a new version beside it.")
        if before.get(name) != schema:
            FOLDER.mkdir(exist_ok=True)
            (FOLDER / f"{name}.json").write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
            written.append(name)
    return written
