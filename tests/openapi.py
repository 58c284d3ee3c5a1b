"""The examples in a service's OpenAPI document, as requests to be sent."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Document = dict[str, Any]


def examples(document: Document, ids: Mapping[str, str] | None = None) -> Iterator[tuple[str, Any]]:
    """Path and JSON body of each POST that has an example, and for whose path every id is given."""
    for template, operations in document["paths"].items():
        if set(re.findall(r"{(\w+)}", template)) <= set(ids or {}):
            content = operations.get("post", {}).get("requestBody", {}).get("content", {})
            for example in _examples(document, content.get("application/json", {}).get("schema", {})):
                yield template.format_map(dict(ids or {})), example


def _examples(document: Document, schema: dict[str, Any]) -> list[Any]:
    """Those of the whole, or one put together from those of its fields."""
    if name := schema.get("$ref", "").rpartition("/")[2]:
        schema = document["components"]["schemas"][name]
    if "examples" in schema:
        return schema["examples"]
    fields = schema.get("properties", {})
    made = {name: field["examples"][0] for name, field in fields.items() if "examples" in field}
    return [made] if made else []
