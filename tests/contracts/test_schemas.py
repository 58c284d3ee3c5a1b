"""A type only ever gains optional fields: neighbours in time read each other."""

import copy
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.registry import EVENT_TYPES
from contracts.schemas import breaks, released, schema_of

RELEASED = released()
TYPES = sorted(EVENT_TYPES)


def instances(schema: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Bodies that fit a schema, with any of the optional fields left out."""
    if "$ref" in schema:
        return instances(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return st.one_of(*(instances(one, root) for one in schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"], schema.get("format"):
        case "object", _:
            required = set(schema.get("required", ()))
            fields = {name: instances(one, root) for name, one in schema["properties"].items()}
            return st.fixed_dictionaries(
                {name: one for name, one in fields.items() if name in required},
                optional={name: one for name, one in fields.items() if name not in required},
            )
        case "array", _:
            return st.lists(instances(schema["items"], root), max_size=3)
        case "string", "date":
            return st.dates().map(lambda day: day.isoformat())
        case "string", "date-time":
            return st.datetimes().map(lambda instant: instant.isoformat() + "+00:00")
        case "string", _:
            return st.text(max_size=20)
        case "integer", _:
            return st.integers(-(2**31), 2**31)
        case "number", _:
            return st.floats(0, 1)
        case "boolean", _:
            return st.booleans()
        case _:
            return st.none()


def test_every_type_is_released_as_it_stands() -> None:
    assert {name: schema_of(EVENT_TYPES[name]) for name in TYPES} == RELEASED, "run `python -m contracts`"


@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_was_written_by_the_release_is_read_today_and_what_is_written_today_by_the_release(
    name: str, data: st.DataObject
) -> None:
    body = data.draw(instances(RELEASED[name], RELEASED[name]))
    event = EVENT_TYPES[name].model_validate(body)
    jsonschema.validate(event.model_dump(mode="json", exclude_none=True), RELEASED[name])


@pytest.mark.parametrize("name", TYPES)
def test_a_newer_writers_extra_field_troubles_no_reader(name: str) -> None:
    newer = copy.deepcopy(RELEASED[name])
    newer["properties"]["said_by_a_later_version"] = {"type": "string"}
    assert breaks(RELEASED[name], newer) == []


def _without(schema: dict[str, Any], field: str) -> dict[str, Any]:
    changed = copy.deepcopy(schema)
    del changed["properties"][field]
    return changed


def _with(schema: dict[str, Any], field: str, **words: Any) -> dict[str, Any]:
    changed = copy.deepcopy(schema)
    changed["properties"].setdefault(field, {}).update(words)
    return changed


def _requiring(schema: dict[str, Any], field: str) -> dict[str, Any]:
    changed = copy.deepcopy(schema)
    changed["required"] = [*changed["required"], field]
    return changed


SUBMITTED = RELEASED["intake.submitted.v1"]


@pytest.mark.parametrize(
    ("after", "fault"),
    [
        (_without(SUBMITTED, "reference"), "reference is gone"),
        (_with(SUBMITTED, "in_danger", type="string"), "type was 'boolean', is 'string'"),
        (_requiring(SUBMITTED, "insured"), "insured is required now"),
        (_with(SUBMITTED, "reference", **{"x-phi": True}), "x-phi was None, is True"),
    ],
)
def test_a_breaking_change_is_named(after: dict[str, Any], fault: str) -> None:
    assert any(fault in one for one in breaks(SUBMITTED, after))
